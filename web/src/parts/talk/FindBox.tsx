// Finds in what is loaded: the browser's own search sees only what is drawn.
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { IconButton } from "../Button";
import { num } from "../format";
import { Icon } from "../Icon";
import { useDesk, type Target } from "./desk";
import { find } from "./find";
import type { Talk } from "./model";

interface Props {
  talk: Talk;
  onPlace(flow: string, target: Target): void;
  more?(words: string): ReactNode; // where there is more than what is loaded
}

export function FindBox({ talk, onPlace, more }: Props) {
  const desk = useDesk();
  const [text, setText] = useState("");
  const [at, setAt] = useState(-1);
  const places = useMemo(() => find(talk, text.trim()), [talk, text]);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => desk.look(text.trim()), [desk, text]);
  const go = (step: 1 | -1) => {
    if (places.length === 0) return;
    const next = (at + step + places.length) % places.length;
    setAt(next);
    const place = places[next]!;
    onPlace(place.flow, { ...place.target });
  };
  const onKeyDown = (e: React.KeyboardEvent) => {
    if (e.key === "Escape") (setText(""), setAt(-1), input.current?.blur());
    else if (e.key === "Enter") go(e.shiftKey ? -1 : 1);
    else return;
    e.preventDefault();
  };
  const words = text.trim();
  return (
    <search className="flex items-center gap-1 border-b border-line p-2">
      <span className="flex h-7 min-w-0 flex-1 items-center gap-1.5 rounded border border-line bg-ground px-2 focus-within:border-accent">
        <Icon name="search" size={13} className="text-muted" />
        <input
          ref={input}
          id="find-in-session"
          aria-label={more ? "Find in what is loaded" : "Find in this session"}
          placeholder="Find in this session"
          value={text}
          onChange={(e) => (setText(e.target.value), setAt(-1))}
          onKeyDown={onKeyDown}
          spellCheck={false}
          className="min-w-0 flex-1 bg-transparent outline-none placeholder:text-muted"
        />
        {words !== "" && (
          <span role="status" className="text-sm text-muted">
            {places.length === 0 ? "none" : at < 0 ? num(places.length) : `${at + 1}/${num(places.length)}`}
          </span>
        )}
      </span>
      {words !== "" && (
        <>
          <IconButton name="Place before" onClick={() => go(-1)} disabled={places.length === 0}>
            <Icon name="chevron" size={13} className="-rotate-90" />
          </IconButton>
          <IconButton name="Next place" onClick={() => go(1)} disabled={places.length === 0}>
            <Icon name="chevron" size={13} className="rotate-90" />
          </IconButton>
          {more?.(words)}
        </>
      )}
    </search>
  );
}
