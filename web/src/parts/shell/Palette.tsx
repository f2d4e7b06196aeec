// Cmd/Ctrl+K: go to a page, a session, a flow, or do something.
import { useQuery } from "@tanstack/react-query";
import { useRouter, type AnyRouter } from "@tanstack/react-router";
import { useId, useState } from "react";
import { sessions, someRows } from "../../api/queries";
import { Dialog } from "../Dialog";
import { time } from "../format";
import { Icon, type IconName } from "../Icon";
import { masked, useNames } from "../names";
import { useSettled } from "../settled";
import { visible } from "../signs";
import { beginning } from "../terms";
import { setTheme } from "../theme";
import { places } from "./Nav";

interface Choice {
  name: string;
  says: string;
  icon: IconName;
  run(): void;
}

export function Palette({ onClose, onKeys }: { onClose(): void; onKeys(): void }) {
  const router = useRouter();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const [fixed, typed] = choices(text.trim(), router, onKeys);
  const found = [...fixed, ...useRecorded(text.trim(), router), ...typed];
  const take = (c: Choice | undefined) => c && (onClose(), c.run());
  const onKeyDown = (e: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) setAt((at + step + found.length) % Math.max(1, found.length));
    else if (e.key === "Enter") take(found[at]);
    else return;
    e.preventDefault();
  };
  return (
    <Dialog title="Go to" onClose={onClose} bare>
      <input
        autoFocus
        role="combobox"
        aria-label="Page, session, flow or command"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={`${id}-${at}`}
        placeholder="A page, a session, a flow's id, a command"
        value={text}
        onChange={(e) => (setText(e.target.value), setAt(0))}
        onKeyDown={onKeyDown}
        className="h-11 w-full border-b border-line bg-transparent px-4 text-lg outline-none placeholder:text-muted"
      />
      <ul id={id} role="listbox" aria-label="Found" className="max-h-80 overflow-y-auto p-1.5">
        {found.map((c, i) => (
          <li
            key={`${c.name} ${c.says}`}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            onMouseMove={() => setAt(i)}
            onClick={() => take(c)}
            className={`flex h-8 cursor-pointer items-center gap-2.5 rounded px-2.5 ${i === at ? "bg-accent-soft" : ""}`}
          >
            <Icon name={c.icon} className="text-muted" />
            <span className="truncate">{c.name}</span>
            <span className="ml-auto truncate pl-4 text-muted">{c.says}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

const isFlow = /^f[0-9a-hjkmnp-tv-z]{5,}$/;
const mostFound = 8; // of each kind

/** The sessions and flows on record whose names begin so. */
function useRecorded(text: string, router: AnyRouter): Choice[] {
  const named = useNames();
  const settled = useSettled(text, 200);
  const asked = settled !== "" && settled === text;
  const runs = useQuery({ ...sessions(beginning("session", settled), mostFound), enabled: asked, retry: false });
  const flows = useQuery({ ...someRows(beginning("id", settled), mostFound), enabled: asked && isFlow.test(settled), retry: false });
  if (!asked) return [];
  const who = (principal: string) => visible(named ? principal : masked(principal));
  return [
    ...(flows.data?.rows ?? []).toReversed().map((f): Choice => ({
      name: `Flow ${f.id}`, says: `${who(f.principal)}, ${time(f.started)}`, icon: "live",
      run: () => void router.navigate({ to: "/flows/$flow", params: { flow: f.id } }),
    })),
    ...(runs.data ?? []).toReversed().map((s): Choice => ({
      name: `Session ${visible(s.session)}`, says: `${who(s.principal)}, ${time(s.last)}`, icon: "sessions",
      run: () => void router.navigate({ to: "/sessions/$session", params: { session: s.session }, search: { principal: s.principal } }),
    })),
  ];
}

function choices(text: string, router: AnyRouter, onKeys: () => void): [fixed: Choice[], typed: Choice[]] {
  const go = (to: string, rest: object = {}) => void router.navigate({ to, ...rest });
  const fixed: Choice[] = [
    ...places.map((p) => ({ name: p.name, says: p.says, icon: p.icon, run: () => go(p.to) })),
    { name: "Keys", says: "what the keyboard does", icon: "keyboard", run: onKeys },
    { name: "Dark", says: "theme", icon: "moon", run: () => setTheme("dark") },
    { name: "Light", says: "theme", icon: "sun", run: () => setTheme("light") },
    { name: "As the system", says: "theme", icon: "auto", run: () => setTheme("auto") },
  ];
  if (text === "") return [fixed, []];
  const words = text.toLowerCase();
  const typed: Choice[] = [
    { name: `Filter ${text}`, says: "in Live", icon: "filter", run: () => go("/live", { search: { q: text } }) },
    { name: `Search ${text}`, says: "in all text", icon: "search", run: () => go("/search", { search: { q: text } }) },
  ];
  return [fixed.filter((c) => `${c.name} ${c.says}`.toLowerCase().includes(words)), typed];
}
