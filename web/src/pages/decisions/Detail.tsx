import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { allowances, flow as flowOf, status } from "../../api/queries";
import type { Finding, FlowView } from "../../api/types";
import { Badge } from "../../parts/Badge";
import { Button } from "../../parts/Button";
import { Line, Signed } from "../../parts/Captured";
import { Copy } from "../../parts/Copy";
import { day, exact, num, time } from "../../parts/format";
import { Fact, Facts } from "../../parts/Section";
import { both, term } from "../../parts/terms";
import { SeveritySign, Verdict } from "../../parts/Verdict";
import { Who } from "../../parts/Who";
import { AllowDialog } from "./AllowDialog";
import { allowanceOf } from "./allowed";
import { actedOn, bare } from "./decided";
import { Explained } from "./Explained";
import { RevealDialog } from "./RevealDialog";

const meanings: Record<string, string> = {
  ask: "Somebody would have to approve; nobody can yet, so it was stopped.",
  redact: "The provider got pseudonyms; the agent gets the values back.",
  pass: "It passed as it was.",
};

/** Of a block, what left matters most: the call, or only its answer was stopped. */
function meaning({ verdict, state }: FlowView): string | undefined {
  if (verdict !== "block") return meanings[verdict];
  return state === "refused" ? "Nothing was forwarded: the provider never got this call." : "The provider got the call. Its answer was stopped: the agent did not get what was found in it.";
}

export function Detail({ flow: f }: { flow: FlowView }) {
  const found = f.findings ?? [];
  const acting = found.filter((x) => actedOn(x) || x.allowed);
  const rest = found.filter((x) => !acting.includes(x));
  return (
    <section aria-label="The decision" className="min-h-0 space-y-3 overflow-y-auto bg-panel p-4" tabIndex={0}>
      <header className="flex flex-wrap items-center gap-2">
        <h2 className="text-lg font-semibold">
          <Verdict verdict={f.verdict} would={f.would} />
        </h2>
        <span className="text-muted" title={exact(f.started)}>
          {time(f.started)}
        </span>
        <span className="ml-auto flex gap-2">
          {f.session && (
            <Link to="/sessions/$session" params={{ session: f.session }} search={{ principal: f.principal, flow: f.id }} className="text-accent hover:underline">
              Where it stands in its session
            </Link>
          )}
          <Link to="/flows/$flow" params={{ flow: f.id }} className="text-accent hover:underline">
            The flow
          </Link>
        </span>
      </header>
      <p className="[overflow-wrap:anywhere]">
        <Signed text={f.why || "no reason is on record"} />
      </p>
      <p className="text-muted">{f.would && f.would !== f.verdict ? `It passed, because the mode is not enforce: enforcing would ${f.would} it.` : meaning(f)}</p>
      <Facts>
        <Fact name="Who">
          <Who principal={f.principal} />
        </Fact>
        <Fact name="Agent, model">
          <Line text={f.agent || "not known"} />, <Line text={f.model || "no model"} />
        </Fact>
        {f.rules && f.rules.length > 0 && (
          <Fact name="Decided by">
            <Line text={f.rules.join(", ")} />
          </Fact>
        )}
        <Decider flow={f} />
        <Fact name="Flow">
          <span className="mono">{f.id}</span> <Copy text={f.id} what="the flow’s id" />
        </Fact>
      </Facts>
      {acting.length === 0 && bare(f).length === 0 && f.verdict !== "pass" && (
        <p className="text-muted">
          Nothing new was found here. The session sends again what an earlier turn brought, and it is treated as it was then:{" "}
          <Link to="/decisions" search={{ q: both(term("session", f.session), term("principal", f.principal)) }} className="text-accent underline">
            the decisions of this session
          </Link>
          .
        </p>
      )}
      {acting.length > 0 && <h3 className="pt-1 font-semibold">{acting.length === 1 ? "What was found" : `What was found: ${num(acting.length)}`}</h3>}
      {acting.map((x, i) => (
        <Card key={`${x.id}${i}`} flow={f} finding={x} />
      ))}
      {rest.length > 0 && (
        <details>
          <summary className="text-muted">Only flagged: {num(rest.length)}</summary>
          <div className="space-y-3 pt-2">
            {rest.map((x, i) => (
              <Card key={`${x.id}${i}`} flow={f} finding={x} />
            ))}
          </div>
        </details>
      )}
    </section>
  );
}

/** The policy that decided, which may not be the one in force by now. */
function Decider({ flow: f }: { flow: FlowView }) {
  const { data } = useQuery(flowOf(f.id));
  const { data: s } = useQuery(status);
  if (!data) return null;
  const same = s?.policy.version === data.intent.policy;
  return (
    <Fact name="Policy">
      <span className="mono">{data.intent.policy}</span>{" "}
      <span className="text-muted">{s && (same ? "(in force)" : `(by now ${s.policy.version} is in force)`)}</span>
    </Fact>
  );
}

function Card({ flow: f, finding: x }: { flow: FlowView; finding: Finding }) {
  const [open, setOpen] = useState<"" | "allow" | "reveal" | "why">("");
  const { data: all } = useQuery(allowances);
  const allowed = allowanceOf(all, x.id, f.principal);
  // What an answer says is not hidden by policy: its session shows it, in its place.
  const hidden = x.end > x.start && !["call", "connection", "answer"].includes(x.place ?? "");
  return (
    <article aria-label={x.rule} className="rounded border border-line p-3">
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1">
        <Line text={x.rule} className="font-medium" />
        <SeveritySign severity={x.severity} />
        <span className="text-muted">{x.confidence} % sure</span>
        <Badge tone={x.action === "block" || x.action === "ask" ? "bad" : x.action === "redact" ? "info" : "plain"} title={f.would ? "what enforcing would do about it" : "what policy does about it"}>
          {x.action}
        </Badge>
        {x.allowed && <Badge tone="good" title={`by allowance ${x.allowed}`}>was allowed</Badge>}
      </div>
      <Facts>
        <Fact name="Stands in">
          {channels[x.channel] ?? x.channel}
          {x.place ? `, ${x.place}` : ""}
          {x.via && x.via.length > 0 ? `, within ${x.via.join(", ")}` : ""}
          {x.fixed ? "; it can’t be replaced there" : ""}
        </Fact>
        {x.facts && x.facts.length > 0 && (
          <Fact name="Facts">
            <span className="flex flex-wrap gap-1">
              {x.facts.map((t, i) => (
                <Line key={i} text={t} className="mono rounded bg-raised px-1" />
              ))}
            </span>
          </Fact>
        )}
        {x.note && (
          <Fact name="Note">
            <Signed text={x.note} />
          </Fact>
        )}
        {x.from && (
          <Fact name="Came from">
            <Link to="/flows/$flow" params={{ flow: x.from.flow }} className="text-accent hover:underline">
              {channels[x.from.channel] ?? x.from.channel}
              {x.from.tool ? ` of ${x.from.tool}` : ""}
            </Link>
          </Fact>
        )}
        <Fact name="Finding">
          <Link to="/decisions" search={{ tab: "found" }} className="mono text-accent hover:underline" title="The same value found by the same rule has the same id">
            {x.id}
          </Link>
        </Fact>
      </Facts>
      {allowed && (
        <p className="mt-2 text-pass">
          Allowed until {day(allowed.until)} for {allowed.scope === "*" ? "everybody" : <Who principal={allowed.scope} />}: <Signed text={allowed.reason} />
        </p>
      )}
      <div className="mt-3 flex flex-wrap gap-2">
        {!allowed && (
          <Button small onClick={() => setOpen("allow")}>
            False alarm: allow…
          </Button>
        )}
        {hidden && (
          <Button small onClick={() => setOpen("reveal")}>
            Reveal the value…
          </Button>
        )}
        <Button small on={open === "why"} onClick={() => setOpen(open === "why" ? "" : "why")}>
          Why?
        </Button>
      </div>
      {open === "why" && <Explained flow={f} finding={x} />}
      {open === "allow" && <AllowDialog finding={x} principal={f.principal} onClose={() => setOpen("")} />}
      {open === "reveal" && <RevealDialog flow={f.id} finding={x} onClose={() => setOpen("")} />}
    </article>
  );
}

export const channels: Record<string, string> = {
  system: "the system prompt", user: "what the user wrote", assistant: "what the model said", tool_definition: "a tool’s definition", tool_call: "a tool call",
  tool_result: "a tool’s result", file: "a file", envelope: "members around the conversation", provider: "what the provider would do",
};
