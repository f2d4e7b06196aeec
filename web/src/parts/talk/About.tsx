// What a session is, and what it cost, in a line.
import { useMemo, type ReactNode } from "react";
import type { Session } from "../../api/types";
import { Button } from "../Button";
import { Line } from "../Captured";
import { Copy } from "../Copy";
import { exact, ms, num, partial, short, shortSession, time, used } from "../format";
import { useDesk, useOf } from "./desk";
import { marksOf, type Talk } from "./model";

export type Told = Pick<Session, "session" | "models" | "first" | "ended" | "turns" | "usage" | "cost_usd" | "partial"> & { agent?: string | undefined };

export function About({ about, who, talk }: { about: Told; who: ReactNode; talk: Talk }) {
  const [model, ...models] = about.models;
  const findings = useMemo(() => marksOf(talk).length, [talk]);
  const u = about.usage;
  return (
    <>
      <div className="flex items-center gap-1 text-lg font-semibold" title={about.session}>
        <Line text={shortSession(about.session)} />
        <Copy text={about.session} what="the session's id" />
      </div>
      <span className="max-w-72 truncate">
        <span className="text-muted">who</span> {who}
      </span>
      <Figures
        list={[
          ["agent", about.agent ?? "unknown"],
          ["model", `${model ?? "none"}${models.length > 0 ? ` and ${models.length} more` : ""}`, about.models.join(", ")],
        ]}
      />
      <span title={`${exact(about.first)} to ${exact(about.ended)}`}>
        {time(about.first)}{" "}
        <span className="text-muted">
          for {ms(Date.parse(about.ended) - Date.parse(about.first))}
        </span>
      </span>
      <span>
        {num(about.turns)} <span className="text-muted">{about.turns === 1 ? "turn" : "turns"}</span>
      </span>
      {used(about) ? (
        <>
          <span title={`${num(u.input)} new, ${num(u.cache_read)} from the cache, ${num(u.cache_write)} written to it`}>
            {short(u.input + u.cache_read + u.cache_write)} <span className="text-muted">tokens in,</span> {short(u.output)} <span className="text-muted">out</span>
          </span>
          <span title={about.partial ? "The cost of some calls is not known." : undefined}>{partial(about.cost_usd, about.partial)}</span>
        </>
      ) : (
        <span className="text-muted">no tokens</span>
      )}
      {findings > 0 && (
        <span className="text-ask">
          {num(findings)} {findings === 1 ? "finding" : "findings"}
        </span>
      )}
    </>
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
export function Kinds() {
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
