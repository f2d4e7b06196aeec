import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { overview } from "../../api/queries";
import { Choice } from "../../parts/Choice";
import { Empty, Failed, Waiting } from "../../parts/Note";
import { Section } from "../../parts/Section";
import { Daily } from "./Daily";
import { Families } from "./Families";
import { Figures } from "./Figures";
import { bys, Groups } from "./Groups";
import { periodOf, periods, timed, usual, within } from "./period";
import type { Measure } from "./sums";

const route = getRouteApi("/overview");

const measures = [
  { value: "spend", text: "Spend" },
  { value: "tokens", text: "Tokens" },
  { value: "calls", text: "Calls" },
] as const;

export function Overview() {
  const { q = "", by: asked, since, of, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Record<string, string | undefined>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const period = periodOf(since);
  const by = bys.find((b) => b === asked) ?? "agent";
  const measure: Measure = measures.find((m) => m.value === of)?.value ?? "spend";
  const filter = within(q, period);
  const stack = by === "model" ? "model" : "agent";
  const daily = useQuery(overview(filter, "day", stack));
  if (daily.isLoadingError) return <Failed error={daily.error} again={() => void daily.refetch()} />;
  if (!daily.data) return <Waiting what="the sums" />;
  const { total } = daily.data;
  const shared = { q, period, total };
  return (
    <div className="mx-auto max-w-[112rem] space-y-3 p-3">
      <div className="flex flex-wrap items-center gap-3">
        {timed(q) ? (
          <p className="text-muted">The filter says of what time.</p>
        ) : (
          <Choice label="Period" value={period} options={periods} onChange={(v) => set({ since: v === usual ? undefined : v })} />
        )}
        <p className="text-muted">Days are those of this browser’s clock.</p>
      </div>
      {total.flows === 0 ? (
        <Nothing q={q} />
      ) : (
        <>
          <Figures {...shared} />
          <Section title={`By day and ${stack}`} more={<Choice label="What is drawn" value={measure} options={measures} onChange={(v) => set({ of: v === "spend" ? undefined : v })} />}>
            <Daily groups={daily.data.groups} q={q} period={period} measure={measure} stack={stack} />
          </Section>
          <Groups key={by} {...shared} by={by} sort={sort} onBy={(b) => set({ by: b === "agent" ? undefined : b, sort: undefined })} onSort={(s) => set({ sort: s })} />
          <Families {...shared} />
        </>
      )}
    </div>
  );
}

function Nothing({ q }: { q: string }) {
  return (
    <Empty title={q ? "No flow matches in this time" : "No flow in this time"}>
      <p>{q ? "Clear the filter at the top, or choose a longer period." : "Choose a longer period. When no agent has ever called, Set-up says how to point one here."}</p>
      <p>
        <Link to="/setup" className="text-accent underline">
          Set-up
        </Link>
      </p>
    </Empty>
  );
}
