// The line above a session: what it is, what it cost, and how to get about in it.
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { Button, IconButton } from "../../parts/Button";
import { Line } from "../../parts/Captured";
import { Copy } from "../../parts/Copy";
import { exact, ms, num, partial, short, shortSession, time } from "../../parts/format";
import { Icon } from "../../parts/Icon";
import { Who } from "../../parts/Who";
import { useDesk, useOf, type Target } from "../../parts/talk/desk";
import { marksOf, type Talk } from "../../parts/talk/model";
import { find } from "./find";
import { only } from "./only";
import type { Props as Room } from "./Room";

interface Props extends Room {
  talk: Talk;
  newer: number;
  onExport(): void;
  onLatest(): void; // reads the end of the session anew
  onTurn(n: number): Promise<boolean>; // whether there is such a turn
}

export function Head(props: Props) {
  const { about, talk, windows, before, after, busy, newer, onLatest } = props;
  const [model, ...models] = about.models;
  const findings = useMemo(() => marksOf(talk).length, [talk]);
  const u = about.usage;
  return (
    <div className="border-b border-line bg-panel px-4 py-1.5">
      <div className="flex flex-wrap items-center gap-x-3.5 gap-y-1">
        <div className="flex items-center gap-1 text-lg font-semibold" title={about.session}>
          <Line text={shortSession(about.session)} />
          <Copy text={about.session} what="the session's id" />
        </div>
        <span className="max-w-72 truncate">
          <span className="text-muted">who</span> <Who principal={about.principal} />
        </span>
        <Figures
          list={[
            ["agent", about.agent ?? windows.find((w) => w.agent)?.agent ?? "unknown"],
            ["model", `${model ?? "none"}${models.length > 0 ? ` and ${models.length} more` : ""}`, about.models.join(", ")],
          ]}
        />
        <span title={`${exact(about.first)} to ${exact(about.last)}`}>
          {time(about.first)}{" "}
          <span className="text-muted">
            for {ms(new Date(about.last).getTime() - new Date(about.first).getTime())}
          </span>
        </span>
        <span>
          {num(about.turns)} <span className="text-muted">{about.turns === 1 ? "turn" : "turns"}</span>
        </span>
        <span title={`${num(u.input)} new, ${num(u.cache_read)} from the cache, ${num(u.cache_write)} written to it`}>
          {short(u.input + u.cache_read + u.cache_write)} <span className="text-muted">tokens in,</span> {short(u.output)} <span className="text-muted">out</span>
        </span>
        <span title={about.partial ? "The cost of some calls is not known." : undefined}>{partial(about.cost_usd, about.partial)}</span>
        {findings > 0 && (
          <span className="text-ask">
            {num(findings)} {findings === 1 ? "finding" : "findings"}
          </span>
        )}
        <div className="ml-auto flex items-center gap-2">
          {newer > 0 && (
            <Button small strong onClick={onLatest}>
              It goes on: {num(newer)} newer
            </Button>
          )}
          {(before || after) && <ToTurn turns={about.turns} busy={busy} onTurn={props.onTurn} onLatest={onLatest} />}
          <Kinds />
          <Button small onClick={props.onExport}>
            <Icon name="download" size={13} /> Export
          </Button>
        </div>
      </div>
    </div>
  );
}

function Figures({ list }: { list: [name: string, value: string, all?: string][] }) {
  return list.map(([name, value, all]) => (
    <span key={name} className="max-w-72 truncate" title={all}>
      <span className="text-muted">{name}</span> <Line text={value} />
    </span>
  ));
}

/** Opens or folds all of a kind. */
function Kinds() {
  const desk = useDesk();
  const thinking = useOf(desk, (d) => d.kindOpen("thinking"));
  const tools = useOf(desk, (d) => d.kindOpen("tool"));
  return (
    <span className="flex gap-1">
      <Button small on={thinking} onClick={() => desk.foldKind("thinking")} title="key t">
        Thinking
      </Button>
      <Button small on={tools} onClick={() => desk.foldKind("tool")} title="key u">
        Tool calls
      </Button>
    </span>
  );
}

function ToTurn({ turns, busy, onTurn, onLatest }: { turns: number; busy: boolean; onTurn(n: number): Promise<boolean>; onLatest(): void }) {
  const [text, setText] = useState("");
  const [missing, setMissing] = useState(false);
  const go = async () => setMissing(!(await onTurn(Number(text)).catch(() => false)));
  return (
    <form className="flex items-center gap-1" onSubmit={(e) => (e.preventDefault(), void go())}>
      <label className="text-muted">
        turn{" "}
        <input
          inputMode="numeric"
          pattern="[0-9]+"
          value={text}
          aria-invalid={missing}
          onChange={(e) => (setText(e.target.value), setMissing(false))}
          className={`h-6 w-16 rounded border bg-ground px-1.5 text-ink ${missing ? "border-block" : "border-line-strong"}`}
        />{" "}
        of {num(turns)}
      </label>
      <Button small type="submit" disabled={text === ""}>
        Go
      </Button>
      <Button small onClick={onLatest} disabled={busy}>
        Latest
      </Button>
    </form>
  );
}

/** Finds in what is loaded: the browser's own search sees only what is drawn. */
export function FindBox({ about, talk, before, after, onPlace }: Room & { talk: Talk; onPlace(flow: string, target: Target): void }) {
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
          aria-label={before || after ? "Find in what is loaded" : "Find in this session"}
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
          {(before || after) && (
            <Link to="/search" search={{ q: `${only(about.session, about.principal)} ${words}` }} className="text-sm underline underline-offset-3">
              in all of it
            </Link>
          )}
        </>
      )}
    </search>
  );
}
