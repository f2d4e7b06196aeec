// Agent runs, the one with the newest flow first.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { sessions as query } from "../../api/queries";
import type { Session } from "../../api/types";
import { Button } from "../../parts/Button";
import { num } from "../../parts/format";
import { Grid } from "../../parts/Grid";
import { useKeys } from "../../parts/keys";
import { useNow } from "../../parts/link";
import { Empty, Failed, Waiting } from "../../parts/Note";
import { columns, orders, type Order } from "./columns";

const route = getRouteApi("/sessions");
const step = 500;

export function Sessions() {
  const { q = "", sort, all } = route.useSearch();
  const navigate = route.useNavigate();
  const [limit, setLimit] = useState(step);
  const order = sort !== undefined && Object.hasOwn(orders, sort) ? (sort as Order) : "last";
  const [marked, setMarked] = useState<string>();
  const now = useNow(5_000);
  const { data, error, refetch, isFetching } = useQuery({ ...query(q, limit), refetchInterval: 5_000, placeholderData: (old) => old });
  // Agents ask for a model's name or count tokens before a session of theirs begins.
  const shown = data?.filter((s) => all !== undefined || q !== "" || s.turns > 0) ?? [];
  const list = order === "last" ? shown.toReversed() : shown.toSorted(orders[order]);
  const turnless = (data?.length ?? 0) - list.length;
  const cursor = list.findIndex((s) => idOf(s) === marked);
  const more = data !== undefined && data.length >= limit;

  const set = (change: { q?: undefined; sort?: Order | undefined; all?: string }) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const sortBy = (by: string) => set({ sort: by === "last" ? undefined : (by as Order) });
  const open = (s: Session | undefined) => s && void navigate({ to: "/sessions/$session", params: { session: s.session }, search: { principal: s.principal } });
  const move = (to: number) => {
    const s = list[Math.max(0, Math.min(list.length - 1, to))];
    if (s) setMarked(idOf(s));
  };
  useKeys("Sessions", [
    { keys: "j", also: "ArrowDown", does: "next session", run: () => move(cursor + 1) },
    { keys: "k", also: "ArrowUp", does: "session before", run: () => move(cursor < 0 ? 0 : cursor - 1) },
    { keys: "Enter", does: "open it", run: () => open(list[cursor]) },
    { keys: "Escape", does: "choose none", run: () => setMarked(undefined) },
    { keys: "g g", also: "Home", does: "to the first", run: () => move(0) },
    { keys: "G", also: "End", does: "to the last", run: () => move(list.length - 1) },
    { keys: "L", does: "by last flow", run: () => sortBy("last") },
    { keys: "C", does: "by cost", run: () => sortBy("cost") },
  ]);

  return (
    <section aria-label="Sessions" className="flex h-full min-h-0 flex-col">
      <div className="flex h-9 shrink-0 items-center gap-3 border-b border-line bg-panel px-2.5 text-muted">
        {data && <span>{says(list.length, more, order)}</span>}
        {turnless > 0 && (
          <span>
            {num(turnless)} without a turn {turnless === 1 ? "is" : "are"} left out.{" "}
            <button type="button" className="underline underline-offset-3" onClick={() => set({ all: "1" })}>
              Show {turnless === 1 ? "it" : "them"}
            </button>
          </span>
        )}
        {error && data && <span role="alert" className="text-block">The gateway does not answer; what is here may be old.</span>}
      </div>
      {!data && error ? (
        <Failed error={error} again={() => void refetch()} />
      ) : !data ? (
        <Waiting what="sessions" />
      ) : data.length === 0 ? (
        <Nothing q={q} onClear={() => set({ q: undefined })} />
      ) : list.length === 0 && !more ? (
        <Empty title="No session has a turn yet">
          <p>Agents ask for a model’s name, or count tokens, before they begin.</p>
        </Empty>
      ) : (
        <Grid
          label="Sessions"
          columns={columns(now)}
          count={list.length}
          at={(i) => list[i]}
          idOf={idOf}
          cursor={cursor}
          onPick={(i) => open(list[i])}
          order={{ by: order, sort: sortBy }}
          foot={
            more ? (
              <Button small disabled={isFetching} onClick={() => setLimit(limit * 2)}>
                {isFetching ? "Reading…" : `Older ones: ${num(limit)} more`}
              </Button>
            ) : (
              "These are all."
            )
          }
        />
      )}
    </section>
  );
}

const first = { cost: "most expensive", turns: "largest", tokens: "largest", decided: "most often blocked or redacted" };

function says(n: number, more: boolean, order: Order): string {
  if (more) return `The newest ${num(n)} sessions${order === "last" ? "" : `, of these the ${first[order]} first`}`;
  return `${num(n)} ${n === 1 ? "session" : "sessions"}`;
}

/** A session's name is its principal's own. */
function idOf(s: Session): string {
  return `${s.principal} ${s.session}`;
}

function Nothing({ q, onClear }: { q: string; onClear(): void }) {
  return q === "" ? (
    <Empty title="No sessions yet">
      <p>A session is one run of an agent, with its sub-agents. The first shows up when an agent calls its model through the gateway.</p>
      <p>
        <Link to="/setup" className="text-accent underline">
          Set-up
        </Link>{" "}
        has the line to start each agent with.
      </p>
    </Empty>
  ) : (
    <Empty title="No session has a flow that matches">
      <p>
        <Button onClick={onClear}>Clear the filter</Button>
      </p>
    </Empty>
  );
}
