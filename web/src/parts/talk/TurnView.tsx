// One turn: what was sent anew, what came back, and what that cost.
import type { ReactNode } from "react";
import type { Part, Turn } from "../../api/conversation";
import { Badge } from "../Badge";
import { IconButton } from "../Button";
import { Line } from "../Captured";
import { Copy } from "../Copy";
import { ended, fine } from "../ended";
import { Icon } from "../Icon";
import { bytes, exact, ms, num, shortID, time, used } from "../format";
import { Ended, Verdict } from "../Verdict";
import { CacheBar, Cost, missed, NotSent, Tokens, tokensText } from "./Figures";
import { Fold } from "./Fold";
import { callOf, givenByTools, placeOf, sideName, type Talk } from "./model";
import { Offered, PartView, ResultNote, Spoken, type Places } from "./Parts";

interface Props {
  turn: Turn;
  talk: Talk;
  places: Places;
  onBytes?: ((flow: string) => void) | undefined;
  menu?: ReactNode;
  sub?: boolean; // of a sub-agent
  whole?: boolean; // all of the request is shown, not what is new in it
}

export function turnName(t: Turn): string {
  if (t.side) return t.turn === null ? "Side call" : `Turn ${t.turn}, a side call`;
  if (t.turn === null) return "Call without a turn";
  return `Turn ${t.turn}${t.retry_of ? ", sent again" : ""}`;
}

export function TurnView(props: Props) {
  const { turn } = props;
  return (
    <>
      <TurnHead {...props} />
      {turn.side ? (
        <div className="px-3 pb-2">
          <Fold flow={turn.flow} what="side" kind="side" head={<SideHead turn={turn} />}>
            {() => <TurnBody {...props} />}
          </Fold>
        </div>
      ) : (
        <TurnBody {...props} />
      )}
    </>
  );
}

function SideHead({ turn }: { turn: Turn }) {
  const said = turn.answer.find((p) => p.kind === "text")?.text ?? "";
  return (
    <span className="min-w-0 truncate text-muted">
      A call that the agent made for itself:{" "}
      <Line text={said.slice(0, 200) || sideName(turn)} />
    </span>
  );
}

function TurnHead({ turn, talk, places, onBytes, menu, whole }: Props) {
  const end = ended(turn);
  const decided = turn.verdict !== "pass" || (turn.would !== undefined && turn.would !== "pass");
  return (
    <header className="flex flex-wrap items-center gap-x-2.5 gap-y-0.5 px-3 pt-2 pb-1">
      <h3 className={`font-semibold ${turn.side ? "text-muted" : ""}`}>{turnName(turn)}</h3>
      <span className="mono min-w-0 [overflow-wrap:anywhere] text-muted">
        <Line text={turn.model || "no model"} />
      </span>
      {end.is !== "done" && end.is !== "blocked" && <Ended end={end} word />}
      {(decided || fine(end)) && <Verdict verdict={turn.verdict} would={turn.would} word={decided} />}
      <span className="text-muted" title={exact(turn.started)}>
        {time(turn.started)}
      </span>
      <span className="text-muted" title="from the request's first byte to the answer's first, and to its last">
        first byte {ms(turn.first_byte_ms)}, all {ms(turn.duration_ms)}
      </span>
      <span className="ml-auto flex flex-wrap items-center justify-end gap-x-2.5 gap-y-0.5">
        {turn.state === "refused" ? <NotSent /> : <Tokens turn={turn} most={talk.most} />}
        {used(turn) && <Cost usd={turn.cost_usd} />}
        {turn.stop && <span className="mono text-muted" title="why the model stopped">{turn.stop}</span>}
        <span className="flex">
          {!whole && onBytes && (
            <IconButton name={`Bytes and headers of ${turnName(turn).toLowerCase()}`} className="!h-5" onClick={() => onBytes(turn.flow)}>
              <Icon name="code" size={14} />
            </IconButton>
          )}
          <Copy text={turn.flow} what="the flow's id" />
          {places.linkTo && <Copy text={places.linkTo(turn.flow)} what="a link to this turn" icon="bookmark" />}
          {menu}
        </span>
      </span>
    </header>
  );
}

function TurnBody({ turn, talk, places, sub = false, whole = false }: Props) {
  return (
    <div className="space-y-2 px-3 pb-3">
      {!whole && turn.turn !== null && <Changed turn={turn} talk={talk} places={places} />}
      <Trouble turn={turn} />
      <div role="group" aria-label="Sent" className="space-y-1.5">
        <Sent turn={turn} talk={talk} places={places} sub={sub} />
      </div>
      <div role="group" aria-label="Answer" className="space-y-1.5">
        {turn.answer.map((part) => (
          <PartView key={part.n} flow={turn.flow} part={part} places={places} call={callOf(talk, turn, part)} />
        ))}
        {turn.answer_unread && <Unread text={turn.answer_unread} />}
        {turn.state === "open" && turn.answer.length === 0 && <p className="text-muted">The answer is still coming.</p>}
      </div>
      <Elsewhere turn={turn} />
    </div>
  );
}

/** What this turn added to what the model reads, and what that did to the cache. */
function Changed({ turn, talk, places }: { turn: Turn; talk: Talk; places: Places }) {
  return (
    <dl className="grid grid-cols-2 overflow-hidden rounded border border-line text-sm max-lg:grid-cols-1">
      <div className="flex flex-wrap items-center gap-x-1.5 gap-y-0.5 px-2 py-1" title="Agents send the whole conversation with every turn. This is what is new in it.">
        <dt className="text-muted">
          <Against turn={turn} talk={talk} places={places} />
        </dt>
        <dd className="flex flex-wrap items-center gap-x-2">
          <Counts change={turn.change} />
          {turn.redacted && (
            <Badge tone="accent" title="The provider got other values than the agent sent; what it got is shown here.">
              values replaced
            </Badge>
          )}
        </dd>
      </div>
      <div className={`flex items-center gap-x-2 border-line px-2 py-1 max-lg:border-t lg:border-l ${missed(turn.cache) ? "bg-ask/8" : ""}`}>
        <dt className={missed(turn.cache) ? "font-medium text-ask" : "text-muted"}>{missed(turn.cache) ? "Cache missed" : "Cache"}</dt>
        <dd className="flex min-w-0 items-center gap-2">
          <CacheBar cache={turn.cache} />
          <span>{turn.cache.text || "Nothing is known of it."}</span>
        </dd>
      </div>
    </dl>
  );
}

function Against({ turn, talk, places }: { turn: Turn; talk: Talk; places: Places }) {
  const { before, change } = turn;
  if (change.first || !before) return change.first ? "A conversation begins:" : "New:";
  const n = talk.turns.get(before)?.turn;
  return (
    <>
      Against{" "}
      <button type="button" className="underline decoration-line-strong underline-offset-3 hover:text-ink" onClick={() => places.toFlow(before)}>
        {n ? `turn ${n}` : "the call before"}
      </button>
      :
    </>
  );
}

function Counts({ change: c }: { change: Turn["change"] }) {
  const parts = (n: number) => `${num(n)} ${n === 1 ? "part" : "parts"}`;
  return (
    <>
      <span className="font-medium text-pass">+ {parts(c.added)}</span>
      {!c.first && <span className="text-muted">{num(c.kept)} as before</span>}
      {c.removed > 0 && <span className="font-medium text-block">− {parts(c.removed)}</span>}
      {c.system && <Badge tone="warn">system prompt changed</Badge>}
      {c.tools && <Badge tone="warn">tools changed</Badge>}
      {c.model && <Badge tone="warn">model changed</Badge>}
    </>
  );
}

/** Why a call was stopped, or failed. */
function Trouble({ turn }: { turn: Turn }) {
  const stopped = turn.verdict === "block" || turn.verdict === "ask" || turn.state === "refused";
  const would = turn.would && turn.would !== turn.verdict;
  const end = ended(turn);
  if (!would && fine(end)) return null;
  return (
    <div className={`rounded border px-2 py-1 text-sm ${stopped ? "border-block" : fine(end) ? "border-line" : "border-ask"}`}>
      {turn.state === "unknown" && <p>The gateway stopped before the answer’s end.</p>}
      {(stopped || would || turn.state === "aborted") && (
        <p>
          {turn.state === "aborted" && "Broke off before its end: "}
          <Line text={turn.why} />
        </p>
      )}
      {(turn.error || turn.status >= 400) && (
        <p>
          {turn.status >= 400 && `HTTP ${turn.status}. `}
          <Line text={turn.error ?? ""} />
        </p>
      )}
    </div>
  );
}

const manyParts = 60;

/** What a turn sent, less what stands elsewhere. */
function Sent({ turn, talk, places, sub }: { turn: Turn; talk: Talk; places: Places; sub: boolean }) {
  const tools = turn.added.filter((p) => p.kind === "tool_definition");
  const shownWith = (p: Part) => talk.results.get(placeOf(turn.flow, p.n));
  const again = (p: Part) => talk.echoes.has(placeOf(turn.flow, p.n));
  const echo = turn.added.filter(again);
  const back = turn.added.filter((p) => !again(p) && shownWith(p) && shownWith(p)?.turn.flow !== turn.flow);
  const rest = turn.added.filter((p) => p.kind !== "tool_definition" && !again(p) && !shownWith(p));
  const firstMessage = rest.findIndex((p) => p.role !== "system" && p.role !== "developer");
  const head = firstMessage < 0 ? rest : rest.slice(0, firstMessage);
  const body = firstMessage < 0 ? [] : rest.slice(firstMessage);
  const given = givenByTools(turn.added);
  const view = (part: Part) => <PartView key={part.n} flow={turn.flow} part={part} places={places} call={callOf(talk, turn, part)} of={part.kind === "tool_result" ? talk.names.get(part.id ?? "") : undefined} sub={sub} given={given.has(part.n)} />;
  return (
    <>
      {turn.unread && <Unread text={turn.unread} />}
      {head.map(view)}
      {tools.length > 0 && <Offered flow={turn.flow} tools={tools} />}
      {echo.length > 0 && <Echo turn={turn} parts={echo} places={places} />}
      {back.length > 0 && (
        <Spoken who="Tool">
          <div className="flex flex-wrap gap-1.5">
            {back.map((part) => (
              <ResultNote key={part.n} flow={turn.flow} part={part} call={shownWith(part)!} places={places} />
            ))}
          </div>
        </Spoken>
      )}
      <Many parts={body} flow={turn.flow} view={view} />
      {turn.left !== undefined && turn.left > 0 && <p className="text-muted">{num(turn.left)} more blocks are not shown: the bytes of the request hold them.</p>}
    </>
  );
}

function Many({ parts, flow, view }: { parts: Part[]; flow: string; view(part: Part): ReactNode }) {
  if (parts.length <= manyParts * 1.25) return <>{parts.map(view)}</>;
  const [first, rest] = [parts.slice(0, manyParts), parts.slice(manyParts)];
  return (
    <>
      {first.map(view)}
      <Fold flow={flow} what="rest" kind="plain" head={`${num(rest.length)} more parts`}>
        {() => <div className="space-y-1.5">{rest.map(view)}</div>}
      </Fold>
    </>
  );
}

function Echo({ turn, parts, places }: { turn: Turn; parts: Part[]; places: Places }) {
  return (
    <Spoken who="Agent">
      <Fold flow={turn.flow} what="echo" kind="echo" head={<span className="text-sm text-muted">sends the last answer back ({parts.length === 1 ? "one part" : `${parts.length} parts`})</span>}>
        {() => (
          <div className="space-y-1.5">
            {parts.map((part) => (
              <PartView key={part.n} flow={turn.flow} part={part} places={places} />
            ))}
          </div>
        )}
      </Fold>
    </Spoken>
  );
}

function Unread({ text }: { text: string }) {
  return <p className="text-muted">{text}</p>;
}

/** Findings that stand in nothing that is shown: in headers, in the query, in what
 * was sent before. */
function Elsewhere({ turn }: { turn: Turn }) {
  const list = turn.findings.filter((f) => f.part === undefined);
  if (list.length === 0) return null;
  return (
    <section aria-label="Findings elsewhere" className="text-sm">
      <h4 className="text-muted">Found where no text is shown</h4>
      <ul>
        {list.map((f) => (
          <li key={`${f.id}${f.start}`} className="flex flex-wrap gap-x-2">
            <span className="mono">{f.rule}</span>
            <span className="text-muted">
              {f.severity}, {f.place ? f.place : f.channel.replaceAll("_", " ")}, {f.action}
              {f.note ? `: ${f.note}` : ""}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What a screen reader hears of a turn. */
export function spokenTurn(t: Turn): string {
  return `${turnName(t)}, ${t.model || "no model"}, ${tokensText(t)}, ${t.findings.length > 0 ? `${t.findings.length} findings, ` : ""}${bytes(t.request_bytes)} sent, flow ${shortID(t.flow)}`;
}
