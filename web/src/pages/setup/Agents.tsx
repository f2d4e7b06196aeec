import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { SetupAgent } from "../../api/answers";
import { listen } from "../../api/events";
import { setup, status } from "../../api/queries";
import { Copy } from "../../parts/Copy";
import { age, exact } from "../../parts/format";
import { Choice } from "../../parts/Choice";
import { Icon } from "../../parts/Icon";
import { setLink, useNow } from "../../parts/link";
import { Failed, Waiting } from "../../parts/Note";

/** What to set for each agent, and whether its first model call has come. */
export function Agents() {
  const { data, error, refetch } = useQuery(setup);
  const { data: s } = useQuery(status);
  useFirstCalls();
  if (error && !data) return <Failed error={error} again={() => void refetch()} />;
  if (!data) return <Waiting what="what to set" />;
  const came = data.agents.filter((a) => a.seen.length > 0);
  return (
    <>
      <p className="px-1 pt-1">
        {came.length === 0 ? (
          <>
            <b className="font-semibold">No agent has called a model through Gatehouse yet.</b> Choose yours, copy the line, run it where you work. Its light turns green with its first model call; this page need not be
            loaded again.
          </>
        ) : (
          <span className="text-muted">Green: the agent’s first model call has come, by the way that is named beside it.</span>
        )}
      </p>
      <div className="grid items-start gap-3 lg:grid-cols-2">
        {data.agents.map((a) => (
          <Card key={a.name} agent={a} intercept={Boolean(s?.intercept)} />
        ))}
      </div>
      {s && !s.intercept && <p className="px-1 text-muted">The forward proxy is off. Agents that heed no base URL need it: <span className="mono">intercept.listen</span> in the settings, then <span className="mono">gatehouse ca</span>.</p>}
    </>
  );
}

/** Asks again when a model call comes from whom none is known of. */
function useFirstCalls() {
  const client = useQueryClient();
  useEffect(() => {
    const again = () => void client.invalidateQueries({ queryKey: setup.queryKey });
    const known = (agent: string, entrance: string) => client.getQueryData(setup.queryKey)?.agents.some((a) => a.seen.some((c) => c.agent === agent && c.entrance === entrance));
    const stop = listen("is:turn", {
      ready: again,
      rows: (rows) => void (rows.some((r) => !known(r.agent ?? "", r.entrance)) && again()),
      gone: () => undefined,
      link: setLink,
    });
    return () => (stop(), setLink(undefined));
  }, [client]);
}

function Card({ agent: a, intercept }: { agent: SetupAgent; intercept: boolean }) {
  const [at, setAt] = useState("0");
  const way = a.ways[Number(at)] ?? a.ways[0];
  return (
    <section aria-label={a.title} className="rounded-lg border border-line bg-panel p-4">
      <header className="mb-2 flex flex-wrap items-baseline gap-x-3">
        <h2 className="text-base font-semibold">{a.title}</h2>
        {a.checked && <span className="text-sm text-muted">checked with {a.checked}</span>}
      </header>
      <div className="mb-3 flex flex-wrap gap-x-6 gap-y-1">
        <Light agent={a} entrance="redirect" says="by its base URL (redirect)" />
        {intercept && <Light agent={a} entrance="intercept" says="by the forward proxy (intercept)" />}
      </div>
      <Choice label={`How to set up ${a.title}`} value={at} options={a.ways.map((w, i) => ({ value: String(i), text: short[w.title] ?? w.title, title: w.title }))} onChange={setAt} />
      {way && (
        <>
          <p className="mt-2 text-muted">{way.title}:</p>
          <div className="mt-1 flex items-start gap-2 rounded border border-line bg-ground py-1.5 pr-1 pl-3">
            <pre className="mono min-w-0 flex-1 [overflow-wrap:anywhere] whitespace-pre-wrap">{way.text}</pre>
            <Copy text={way.text} what={`the lines for ${a.title}`} />
          </div>
        </>
      )}
    </section>
  );
}

const short: Record<string, string> = {
  "Start it with everything set": "Start it",
  "Set what it needs in a shell": "In a shell",
  "By its base URL": "Base URL",
  "Without a base URL, through the forward proxy": "Forward proxy",
};

function Light({ agent: a, entrance, says }: { agent: SetupAgent; entrance: "redirect" | "intercept"; says: string }) {
  const first = a.seen.find((c) => c.entrance === entrance);
  const now = useNow(10_000);
  return (
    <p role="status" className="flex items-center gap-2">
      {first ? (
        <span className="grid size-4 place-items-center rounded-full bg-pass text-panel">
          <Icon name="check" size={11} />
        </span>
      ) : (
        <span className="size-4 rounded-full border-2 border-line-strong" aria-hidden="true" />
      )}
      {first ? (
        <span>
          <Link to="/flows/$flow" params={{ flow: first.flow }} className="text-accent underline underline-offset-3" title={exact(first.at)}>
            first model call {age(first.at, now)}
          </Link>{" "}
          <span className="text-muted">{says}</span>
        </span>
      ) : (
        <span className="text-muted">none yet {says}</span>
      )}
    </p>
  );
}
