// All metadata of a flow, as the ledger has it.
import type { Flow } from "../../api/types";
import { Captured, Line } from "../../parts/Captured";
import { masked, useNames } from "../../parts/names";
import { decisionOf } from "../../parts/ended";
import { bytes, ms, num, usd } from "../../parts/format";

type Fact = [name: string, value: string | undefined];

export function Facts({ record }: { record: Flow }) {
  const { intent: i, outcome: o } = record;
  const named = useNames();
  const decision = decisionOf(record);
  return (
    <div className="grid grid-cols-2 gap-4 max-lg:grid-cols-1">
      <Block
        title="Request"
        facts={[
          ["started", i.started],
          ["entrance", i.entrance],
          ["provider", i.provider],
          ["operation", i.api],
          ["model asked for", i.model],
          ["session", i.session.id],
          ["sub-agent", i.session.subagent],
          ["compacts", i.session.predecessor],
          ["turn", i.turn ? String(i.turn) : undefined],
          ["sent again after", i.retry_of],
          ["principal", named ? i.principal.name : masked(i.principal.name)],
          ["credential, as a fingerprint", i.principal.credential],
          ["custody", i.custody],
          ["kept", i.capture],
          ["bytes", `${num(i.request_bytes)} (${bytes(i.request_bytes)})`],
          ["bytes forwarded", num(i.forwarded_bytes)],
          ["bytes scanned", num(i.scanned_bytes)],
          ["not readable", i.unreadable],
          ["SHA-256", i.request_sha256],
          ["SHA-256 forwarded", i.forwarded_sha256 === i.request_sha256 ? "the same: nothing was changed" : i.forwarded_sha256],
        ]}
      />
      <Block
        title="Decision"
        facts={[
          ["verdict", decision.verdict],
          ["why", decision.why],
          ["rules", decision.rules?.join(", ")],
          ["enforcing would", decision.would],
          ["policy", i.policy],
        ]}
      />
      <Block
        title="Answer"
        facts={
          o
            ? [
                ["state", o.state],
                ["HTTP status", o.status ? String(o.status) : undefined],
                ["why it ended so", o.why],
                ["model", o.model],
                ["first byte after", o.first_byte ? ms(o.first_byte / 1e6) : undefined],
                ["all of it after", ms(o.duration / 1e6)],
                ["tokens in, new", num(o.usage.input)],
                ["from the cache", num(o.usage.cache_read)],
                ["written to the cache", num(o.usage.cache_write)],
                ["tokens out", num(o.usage.output)],
                ["of them reasoning", o.usage.reasoning ? num(o.usage.reasoning) : undefined],
                ["cost", usd(o.cost_usd)],
                ["stop reason", o.stop],
                ["error", o.error],
                ["the provider's id", o.provider_request_id],
                ["bytes", num(o.response_bytes)],
                ["SHA-256", o.response_sha256],
                ["SHA-256 delivered", o.delivered_sha256],
                ["tools called", o.tools?.join(", ")],
                ["values put back", o.restored ? num(o.restored) : undefined],
                ["withheld", o.withheld ? num(o.withheld) : undefined],
              ]
            : [["state", "open: the answer is still coming"]]
        }
      />
      <section>
        <h2 className="mb-1 font-semibold">Findings</h2>
        <Findings list={[...(i.findings ?? []), ...(o?.findings ?? [])]} />
      </section>
    </div>
  );
}

function Block({ title, facts }: { title: string; facts: Fact[] }) {
  return (
    <section>
      <h2 className="mb-1 font-semibold">{title}</h2>
      <dl className="grid grid-cols-[11rem_minmax(0,1fr)] gap-x-3 rounded border border-line bg-panel px-3 py-2">
        {facts
          .filter(([, v]) => v !== undefined && v !== "")
          .map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd>
                <Captured text={value ?? ""} />
              </dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

function Findings({ list }: { list: NonNullable<Flow["intent"]["findings"]> }) {
  if (list.length === 0) return <p className="text-muted">Nothing was found.</p>;
  return (
    <ul className="space-y-1">
      {list.map((f, n) => (
        <li key={n} className="rounded border border-line bg-panel px-3 py-1">
          <span className="mono font-semibold">{f.rule}</span>{" "}
          <span className="text-muted">
            {f.severity}, {f.confidence} % sure, {f.channel.replaceAll("_", " ")}
            {f.place ? `, ${f.place}` : ""}, {f.action}
          </span>
          {f.note && (
            <p className="text-sm">
              <Line text={f.note} />
            </p>
          )}
          {f.facts && (
            <p className="text-sm">
              <Line text={f.facts.join(", ")} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
