import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { flow as flowQuery, flowConversation } from "../../api/queries";
import { readerOf } from "../../api/reader";
import type { Flow as Record_ } from "../../api/types";
import { why } from "../../api/why";
import { Line } from "../../parts/Captured";
import { Copy } from "../../parts/Copy";
import { exact, shortID, shortSession, time } from "../../parts/format";
import { Failed, Waiting } from "../../parts/Note";
import { Bytes, isTab, type Tab } from "../../parts/talk/Bytes";
import { Desk, DeskContext } from "../../parts/talk/desk";
import { FindingNote } from "../../parts/talk/FindingNote";
import { talkOf } from "../../parts/talk/model";
import type { Places } from "../../parts/talk/Parts";
import { TurnView } from "../../parts/talk/TurnView";
import { Who } from "../../parts/Who";
import { Facts } from "./Facts";

const route = getRouteApi("/flows/$flow");
const tabs = ["conversation", "bytes", "facts"] as const;
const names = { conversation: "Conversation", bytes: "Bytes and headers", facts: "All that is recorded" };

export function Flow() {
  const { flow } = route.useParams();
  const client = useQueryClient();
  const desk = useMemo(() => new Desk(readerOf((query) => client.fetchQuery(query))), [client]);
  const record = useQuery(flowQuery(flow));
  if (record.isPending) return <Waiting what="the flow" />;
  if (record.isLoadingError) return <Failed error={record.error} again={() => void record.refetch()} />;
  return (
    <DeskContext value={desk}>
      <Shown key={flow} flow={flow} record={record.data} />
    </DeskContext>
  );
}

function Shown({ flow, record }: { flow: string; record: Record_ }) {
  const { tab: named } = route.useSearch();
  const navigate = route.useNavigate();
  const talks = record.intent.entrance !== "tunnel";
  const bytesTab = isTab(named) ? named : undefined;
  const tab = bytesTab ? "bytes" : (tabs.find((t) => t === named) ?? (talks ? "conversation" : "facts"));
  const to = (next: string) => void navigate({ search: { tab: next }, replace: true });
  return (
    <div className="mx-auto max-w-6xl px-4 py-3">
      <Head record={record} />
      <div className="mb-3 flex gap-1 border-b border-line" role="group" aria-label="What to see">
        {tabs.map((name) => (
          <button key={name} type="button" aria-pressed={tab === name} onClick={() => to(name)} className="-mb-px border-b-2 border-transparent px-2.5 py-1.5 text-muted hover:text-ink aria-pressed:border-accent aria-pressed:text-ink">
            {names[name]}
          </button>
        ))}
      </div>
      {tab === "conversation" && <Said flow={flow} record={record} />}
      {tab === "bytes" && <Bytes flow={flow} record={record} tab={bytesTab ?? "headers"} onTab={(t: Tab) => to(t)} />}
      {tab === "facts" && <Facts record={record} />}
    </div>
  );
}

function Head({ record: { intent } }: { record: Record_ }) {
  const { id } = intent.session;
  return (
    <div className="mb-2 flex flex-wrap items-baseline gap-x-4 gap-y-1">
      <span className="flex items-center text-lg font-semibold" title={intent.flow}>
        Flow <span className="mono ml-2 !text-base">{shortID(intent.flow)}</span>
        <Copy text={intent.flow} what="the flow's id" />
      </span>
      <span>
        <span className="text-muted">{intent.agent ?? "agent unknown"}, </span>
        <Who principal={intent.principal.name} />
      </span>
      <span className="text-muted" title={exact(intent.started)}>
        {time(intent.started)}
      </span>
      <span className="mono text-muted">
        <Line text={`${intent.method} ${intent.host ?? ""}${intent.path}`} />
      </span>
      {id !== "" && (
        <Link to="/sessions/$session" params={{ session: id }} search={{ principal: intent.principal.name, flow: intent.flow }} className="ml-auto text-accent underline underline-offset-3">
          In its session, <Line text={shortSession(id)} />
          {intent.turn ? `, turn ${intent.turn}` : ""}
        </Link>
      )}
    </div>
  );
}

/** The whole request and its answer. */
function Said({ flow, record }: { flow: string; record: Record_ }) {
  const navigate = route.useNavigate();
  const told = useQuery(flowConversation(flow, why()));
  const talk = useMemo(() => told.data && talkOf([told.data]), [told.data]);
  const turn = talk?.turns.get(flow);
  const places: Places = {
    toFlow: (to) => void navigate({ to: "/flows/$flow", params: { flow: to }, search: {} }),
    toBranch: () => undefined,
    linkTo: (to, n) =>
      n === undefined || record.intent.session.id === ""
        ? `${location.origin}/flows/${encodeURIComponent(to)}`
        : `${location.origin}/sessions/${encodeURIComponent(record.intent.session.id)}?${new URLSearchParams({ principal: record.intent.principal.name, flow: to, part: String(n) })}`,
  };
  if (told.isPending) return <Waiting what="what was said" />;
  if (told.isLoadingError) return <Failed error={told.error} again={() => void told.refetch()} />;
  if (!talk || !turn) return <p className="text-muted">There is nothing to read.</p>;
  return (
    <>
      <section aria-label="Request and answer" className="rounded border border-line bg-panel">
        <h2 className="sr-only">Request and answer</h2>
        <TurnView turn={{ ...turn, side: false }} talk={talk} places={places} onBytes={() => undefined} whole />
      </section>
      <FindingNote turnOf={(f) => talk.turns.get(f)} />
    </>
  );
}
