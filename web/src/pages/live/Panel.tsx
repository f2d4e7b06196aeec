// One flow beside the list: its metadata. What was said stands on its own page,
// since reading that is put on record.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";
import { text } from "../../api/client";
import { flow as query } from "../../api/queries";
import type { Decision, Finding, Flow, Header, Leg, State } from "../../api/types";
import { why } from "../../api/why";
import { Button, IconButton } from "../../parts/Button";
import { Line, Signed } from "../../parts/Captured";
import { Copy } from "../../parts/Copy";
import { decisionOf, ended } from "../../parts/ended";
import { bytes, exact, ms, num, shortID, shortSession, usd } from "../../parts/format";
import { Icon } from "../../parts/Icon";
import { Failed, Waiting } from "../../parts/Note";
import { both, term } from "../../parts/terms";
import { Ended, SeveritySign, Verdict } from "../../parts/Verdict";
import { Who } from "../../parts/Who";

export function Panel({ id, state, onClose }: { id: string; state: State | undefined; onClose(): void }) {
  const { data, error, refetch } = useQuery(query(id));
  const behind = data?.outcome === null && state !== undefined && state !== "open"; // the list has heard that it ended
  useEffect(() => {
    if (behind) void refetch();
  }, [behind, refetch]);
  return (
    <aside aria-label="Flow" className="flex w-[380px] max-w-full shrink-0 flex-col border-l border-line bg-panel max-lg:absolute max-lg:inset-y-0 max-lg:right-0 max-lg:z-20 max-lg:shadow-xl">
      <header className="flex h-9 shrink-0 items-center gap-1 border-b border-line pr-1.5 pl-3">
        <h2 className="mono truncate" title={id}>
          {shortID(id)}
        </h2>
        <Copy text={id} what="the flow's id" />
        <span className="ml-auto" />
        <IconButton name="Close (Esc)" onClick={onClose}>
          <Icon name="close" />
        </IconButton>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="Metadata">
        {data ? <About flow={data} /> : error ? <Failed error={error} again={() => void refetch()} /> : <Waiting what="the flow" />}
      </div>
    </aside>
  );
}

function About({ flow }: { flow: Flow }) {
  const { intent: i, outcome: o } = flow;
  const decision = decisionOf(flow);
  const other = o?.decision && (decision === i.decision ? o.decision : i.decision);
  return (
    <>
      <div className="space-y-2 px-3 py-3">
        <p className="flex flex-wrap items-center gap-x-3">
          <Verdict verdict={decision.verdict} would={decision.would ?? other?.would} />
          <Ended end={ended({ state: o?.state ?? "open", status: o?.status ?? 0, verdict: decision.verdict, error: o?.error })} word />
          {o?.status !== undefined && <span className={o.status >= 400 ? "text-ask" : "text-muted"}>HTTP {o.status}</span>}
        </p>
        <Why decision={decision} />
        {other && other.why !== decision.why && <Why decision={other} of={other === i.decision ? "request" : "answer"} />}
        {o?.why && !o.why.includes(decision.why) && <p><Signed text={o.why} flat /></p>}
        {o?.error && <p className="text-ask">The provider's error: <Line text={o.error} /></p>}
        <Ways i={i} />
      </div>
      <Findings list={[...(i.findings ?? []), ...(o?.findings ?? [])]} />
      <Section title="Call">
        <Facts>
          <Fact name="Began">{exact(i.started)}</Fact>
          <Fact name="Who"><Who principal={i.principal.name} /></Fact>
          <Fact name="Agent">{i.agent ? <Line text={i.agent} /> : <Nil text="not known" />}</Fact>
          <Fact name="Model">{model(i.model, o?.model)}</Fact>
          <Fact name="Provider"><Line text={`${i.provider}, ${i.api}`} /></Fact>
          <Fact name="Call"><Line text={`${i.method} ${i.host ?? ""}${i.path}`} className="mono [overflow-wrap:anywhere]" /></Fact>
          <Fact name="Came by">{i.entrance}</Fact>
          <Fact name="Session">
            <Line text={shortSession(i.session.id)} />
            <Copy text={i.session.id} what="the session's name" />
          </Fact>
          <Fact name="Turn">{i.turn ?? <Nil text="none: not a model call of the conversation" />}{i.retry_of && `, sent again (${shortID(i.retry_of)} was the first)`}</Fact>
          {i.session.subagent && <Fact name="Sub-agent"><Line text={i.session.subagent} /></Fact>}
          {o?.tools && o.tools.length > 0 && <Fact name="Calls tools"><Line text={o.tools.join(", ")} /></Fact>}
          {o?.stop && <Fact name="Ended by"><Line text={o.stop} /></Fact>}
        </Facts>
      </Section>
      {o && <Figures i={i} o={o} />}
      <Headers title="Request's headers" list={i.header} />
      <Headers title="Answer's headers" list={o?.header} />
      <Section title="Connections" closed>
        <Facts>
          <Fact name="From the agent"><TLS leg={i.tls} /></Fact>
          <Fact name="To the provider"><TLS leg={o?.tls} /></Fact>
        </Facts>
      </Section>
      <Section title="Record" closed>
        <Facts>
          <Fact name="Kept">{i.capture === "full" ? "everything" : "metadata only"}</Fact>
          <Fact name="Policy"><span className="mono">{i.policy}</span></Fact>
          <Fact name="Request"><Hash hex={i.request_sha256} /></Fact>
          <Fact name="Forwarded">{i.forwarded_sha256 === i.request_sha256 ? "the same bytes" : i.forwarded_sha256 ? <Hash hex={i.forwarded_sha256} /> : "nothing"}</Fact>
          {o?.response_sha256 && <Fact name="Answer"><Hash hex={o.response_sha256} /></Fact>}
        </Facts>
      </Section>
    </>
  );
}

/** Where to go from here. */
function Ways({ i }: { i: Flow["intent"] }) {
  const look = "inline-flex h-6 items-center gap-1.5 rounded border border-line-strong px-2 text-sm hover:bg-raised";
  return (
    <p className="flex flex-wrap items-center gap-1.5 pt-1">
      <Link to="/flows/$flow" params={{ flow: i.flow }} className={`${look} border-accent`}>
        <Icon name="eye" size={13} /> Read it
      </Link>
      <Link to="/sessions/$session" params={{ session: i.session.id }} search={{ principal: i.principal.name, flow: i.flow }} className={look}>
        <Icon name="sessions" size={13} /> In its session
      </Link>
      <Link to="/live" search={{ q: both(term("session", i.session.id), term("principal", i.principal.name)) }} className={look}>
        <Icon name="filter" size={13} /> Only its session
      </Link>
      <CopyCurl id={i.flow} />
    </p>
  );
}

/** The call as a command. It holds what was said, so that it is read is put on record. */
function CopyCurl({ id }: { id: string }) {
  const [state, setState] = useState<"" | "copied" | { problem: string }>("");
  const copy = () =>
    text(`/flows/${encodeURIComponent(id)}/curl`, { why: why() })
      .then((command) => navigator.clipboard.writeText(command))
      .then(() => setState("copied"))
      .catch((e: unknown) => setState({ problem: e instanceof Error ? e.message : String(e) }));
  return (
    <>
      <Button small onClick={() => void copy()} title="Copies a command that repeats the call. Reading it is put on record.">
        <Icon name={state === "copied" ? "check" : "copy"} size={13} /> {state === "copied" ? "Copied" : "curl"}
      </Button>
      {typeof state === "object" && <span role="alert" className="w-full text-block">{state.problem}</span>}
    </>
  );
}

function Why({ decision, of }: { decision: Decision; of?: string }) {
  return (
    <p className="[overflow-wrap:anywhere]">
      {of && <span className="text-muted">About the {of}: </span>}
      <Signed text={decision.why} flat />
      {decision.rules && decision.rules.length > 0 && <span className="text-muted"> (<Signed text={decision.rules.join(", ")} flat />)</span>}
    </p>
  );
}

function Findings({ list }: { list: Finding[] }) {
  if (list.length === 0) return null;
  return (
    <Section title={`Findings (${list.length})`}>
      <ul className="space-y-1.5">
        {list.slice(0, 50).map((f, n) => (
          <li key={n} className="grid grid-cols-[5rem_1fr] gap-x-3">
            <SeveritySign severity={f.severity} />
            <span className="[overflow-wrap:anywhere]">
              <Line text={f.rule} className="font-medium" />
              <span className="text-muted">
                {" "}in {f.place ?? f.channel.replaceAll("_", " ")}, {f.action}
                {f.allowed && ", allowed"}
                {f.facts && f.facts.length > 0 && <>: <Signed text={f.facts.join(", ")} flat /></>}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {list.length > 50 && <p className="mt-1 text-muted">and {list.length - 50} more, on the flow's page</p>}
    </Section>
  );
}

function Figures({ i, o }: { i: Flow["intent"]; o: NonNullable<Flow["outcome"]> }) {
  const u = o.usage;
  const used = u.input + u.cache_read + u.cache_write + u.output > 0;
  return (
    <Section title="Figures">
      <Facts>
        <Fact name="Tokens">
          {!used && <Nil text="none were counted" />}
          {used && <>{num(u.input)} in, {num(u.cache_read)} from the cache, {num(u.cache_write)} into it, {num(u.output)} out
          {u.reasoning > 0 && ` (${num(u.reasoning)} reasoning)`}
          {u.estimated && ", estimated"}</>}
        </Fact>
        <Fact name="Cost">{used || o.cost_usd !== undefined ? usd(o.cost_usd) : <Nil text="nothing to pay for" />}</Fact>
        <Fact name="First byte">{ms(o.first_byte ? o.first_byte / 1e6 : null)}</Fact>
        <Fact name="Duration">{ms(o.duration / 1e6)}</Fact>
        <Fact name="Size">{bytes(i.request_bytes)} asked, {bytes(o.response_bytes)} answered</Fact>
      </Facts>
    </Section>
  );
}

function Headers({ title, list }: { title: string; list: Header[] | undefined }) {
  if (!list || list.length === 0) return null;
  return (
    <Section title={`${title} (${list.length})`} closed>
      <dl className="mono space-y-0.5">
        {list.map((h, n) => (
          <div key={n} className="[overflow-wrap:anywhere]">
            <dt className="inline text-muted"><Signed text={h.n} flat />: </dt>
            <dd className="inline"><Signed text={h.v} flat /></dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

function TLS({ leg }: { leg: Leg | undefined }) {
  if (!leg) return <Nil text="without TLS" />;
  return <>{leg.version}, {leg.cipher}{leg.alpn && `, ${leg.alpn}`}</>;
}

function Hash({ hex }: { hex: string }) {
  return (
    <span className="inline-flex items-center">
      <span className="mono" title={`SHA-256 ${hex}`}>{hex.slice(0, 16)}…</span>
      <Copy text={hex} what="the hash" />
    </span>
  );
}

function model(asked: string | undefined, answered: string | undefined): ReactNode {
  if (!asked && !answered) return <Nil text="none" />;
  if (asked && answered && asked !== answered) return <><Line text={answered} /> <span className="text-muted">asked for</span> <Line text={asked} /></>;
  return <Line text={answered ?? asked ?? ""} />;
}

function Section({ title, closed = false, children }: { title: string; closed?: boolean; children: ReactNode }) {
  return (
    <details open={!closed} className="group border-t border-line">
      <summary className="flex h-8 items-center gap-1.5 px-3 font-medium select-none">
        <Icon name="chevron" size={12} className="text-muted group-open:rotate-90" />
        {title}
      </summary>
      <div className="px-3 pb-3">{children}</div>
    </details>
  );
}

function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-[6.5rem_minmax(0,1fr)] gap-x-3 gap-y-1">{children}</dl>;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}

function Nil({ text: says }: { text: string }) {
  return <span className="text-muted">{says}</span>;
}
