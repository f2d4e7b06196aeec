// Flows as they happen. The address holds the filter, the open flow, and whether
// the list is paused.
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { count } from "../../api/queries";
import { Grid } from "../../parts/Grid";
import { useKeys } from "../../parts/keys";
import { Failed, Waiting } from "../../parts/Note";
import { Bar } from "./Bar";
import { columns, toneOf } from "./columns";
import { Feed } from "./feed";
import { Foot } from "./Foot";
import { Nothing } from "./Nothing";
import { Panel } from "./Panel";

const route = getRouteApi("/live");

export function Live() {
  const { q = "", flow, paused } = route.useSearch();
  const navigate = route.useNavigate();
  const feed = useFeed(q);
  const { list } = feed;
  const scroller = useRef<HTMLDivElement>(null);
  const [away, setAway] = useState(false);
  const [marked, setMarked] = useState<string>(); // the row that the keyboard is on
  const at = flow ?? marked;
  const [pointing, point] = useMoment(1_500);

  const go = useCallback(
    (to: { flow?: string | undefined; paused?: string | undefined }) => void navigate({ search: (old) => ({ ...old, ...to }), replace: true }),
    [navigate],
  );
  // Who looks at a row, or aims at one, wants it to stay where it is.
  const held = paused !== undefined || away || at !== undefined || pointing;
  useEffect(() => feed.hold(held), [feed, held]);
  useEffect(() => setMarked(undefined), [feed]);
  useCounted(feed);

  const open = (id: string) => (setMarked(id), go({ flow: id }));
  const close = () => (flow === undefined ? setMarked(undefined) : (setMarked(flow), go({ flow: undefined })));
  const cursor = at === undefined ? -1 : list.find(at);
  const move = (to: number) => {
    const row = list.at(Math.max(0, Math.min(list.count - 1, to)));
    if (row && flow !== undefined) open(row.id);
    else if (row) setMarked(row.id);
  };
  const resume = () => {
    feed.take();
    setMarked(undefined);
    scroller.current?.scrollTo({ top: 0 });
    go({ paused: undefined, flow: undefined });
  };
  const pause = () => (paused === undefined ? go({ paused: "1" }) : resume());
  useKeys("Live", [
    { keys: "j", also: "ArrowDown", does: "next flow", run: () => move(cursor + 1) },
    { keys: "k", also: "ArrowUp", does: "flow before", run: () => move(cursor < 0 ? 0 : cursor - 1) },
    { keys: "Enter", does: "open it", run: () => at !== undefined && open(at) },
    { keys: "Escape", does: "close it", run: close },
    { keys: "g g", also: "Home", does: "to the newest", run: () => move(0) },
    { keys: "G", also: "End", does: "to the oldest that is here", run: () => move(list.count - 1) },
    { keys: " ", does: "pause, follow", run: pause },
    { keys: "f", does: "show what is new, and follow", run: resume },
  ]);
  const end = useCallback(() => void feed.before(), [feed]);

  return (
    <div className="relative flex h-full min-h-0">
      <section aria-label="Flows" className="flex min-w-0 flex-1 flex-col">
        <Bar feed={feed} paused={paused !== undefined} held={held} onPause={pause} onResume={resume} />
        {feed.reading ? (
          <Waiting what="flows" />
        ) : feed.problem !== undefined ? (
          <Failed error={feed.problem} again={() => void feed.read()} />
        ) : list.count === 0 && list.waiting === 0 ? (
          <Nothing q={q} onClear={() => void navigate({ search: {} })} />
        ) : (
          <Grid
            label="Flows, newest first"
            columns={columns}
            count={list.count}
            at={(i) => list.at(i)}
            idOf={(r) => r.id}
            toneOf={toneOf}
            cursor={cursor}
            onPick={(i) => {
              const row = list.at(i);
              if (row) open(row.id);
            }}
            onScrolled={setAway}
            onPoint={point}
            onEnd={end}
            scroller={scroller}
            foot={<Foot feed={feed} />}
          />
        )}
      </section>
      {flow !== undefined && <Panel id={flow} state={list.get(flow)?.state} onClose={close} />}
    </div>
  );
}

/** A list that has all its flows tells how many there are, as they come. */
function useCounted({ q, list, reading, problem }: Feed) {
  const client = useQueryClient();
  const whole = !reading && problem === undefined && !list.more && !list.stale;
  const n = list.rows.length;
  useEffect(() => {
    if (whole) client.setQueryData(count(q).queryKey, { count: n });
  }, [client, q, whole, n]);
}

/** True for some ms after it was called last. */
function useMoment(ms: number): [boolean, () => void] {
  const [on, setOn] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const call = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setOn(false), ms);
    setOn(true);
  }, [ms]);
  return [on, call];
}

function useFeed(q: string): Feed {
  const feed = useMemo(() => new Feed(q), [q]);
  useEffect(() => feed.start(), [feed]);
  useSyncExternalStore(feed.subscribe, feed.now);
  return feed;
}
