import { useInfiniteQuery } from "@tanstack/react-query";
import { getJournal } from "../../api/queries";
import { Badge, type Tone } from "../../parts/Badge";
import { Button } from "../../parts/Button";
import { Signed } from "../../parts/Captured";
import { day, exact, ms, num } from "../../parts/format";
import { useNow } from "../../parts/link";
import { Failed, Waiting } from "../../parts/Note";
import { Section } from "../../parts/Section";
import { Table, type Column } from "../../parts/Table";
import { off, spansOf, type Span } from "./spans";

const page = 1_000; // entries; the most that one answer has
const listed = 50;

const looks: Record<Span["state"], { text: string; tone: Tone; fill: string; says: string }> = {
  enforce: { text: "enforce", tone: "good", fill: "fill-series-3", says: "verdicts held" },
  report: { text: "report", tone: "warn", fill: "fill-series-2", says: "all passed; what enforcing would have done is on record" },
  observe: { text: "observe", tone: "warn", fill: "fill-series-4", says: "all passed; findings are on record" },
  none: { text: "no policy", tone: "plain", fill: "fill-series-6", says: "everything was blocked" },
  down: { text: "no gateway", tone: "bad", fill: "fill-series-rest", says: "nothing was seen; agents that are set up could not call" },
  lost: { text: "not known", tone: "bad", fill: "fill-series-rest", says: "a gateway ended without saying so, at a time within this" },
};

/** When the policy's verdicts did not hold. */
export function Enforcement() {
  const now = useNow(30_000);
  const { data, error, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ["enforcement"],
    queryFn: ({ pageParam, signal }) => getJournal(page, pageParam || undefined, "event", signal),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.entries.length < page ? undefined : last.entries[0]?.entry),
    refetchInterval: 30_000,
  });
  if (error && !data) return <Failed error={error} again={() => void refetch()} />;
  if (!data) return <Waiting what="the journal" />;
  const spans = spansOf(data.pages.toReversed().flatMap((p) => p.entries), now);
  const first = spans[0]?.from ?? now;
  const total = Math.max(1, now - first);
  const away = spans.filter(off);
  const share = 1 - away.reduce((n, s) => n + (s.to - s.from), 0) / total;
  const columns: Column<Span>[] = [
    { name: "From", cell: (s) => <span title={exact(s.from)}>{clock(s.from)}</span> },
    { name: "To", cell: (s) => (s.to >= now ? "now" : <span title={exact(s.to)}>{clock(s.to)}</span>) },
    { name: "For", right: true, cell: (s) => long(s.to - s.from) },
    { name: "State", cell: (s) => <Badge tone={looks[s.state].tone}>{looks[s.state].text}</Badge> },
    {
      name: "What it means",
      cell: (s) => (
        <>
          {looks[s.state].says} {s.why && s.state !== "down" && s.state !== "lost" && <span className="text-muted">(<Signed text={s.why} />)</span>}
        </>
      ),
    },
  ];
  return (
    <Section
      title="Moments when enforcement was off"
      says={
        spans.length === 0
          ? "No start of a gateway is on record yet."
          : away.length === 0
            ? `The policy has been enforced since the record begins, on ${day(first)}.`
            : `Since the record begins, on ${day(first)}, the policy was enforced ${(share * 100).toFixed(share > 0.99 ? 2 : 0)} % of the time; ${num(away.length)} ${away.length === 1 ? "span" : "spans"} of time it was not.`
      }
      more={
        hasNextPage && (
          <Button small onClick={() => void fetchNextPage()}>
            Read older entries
          </Button>
        )
      }
    >
      <Line spans={spans} first={first} total={total} />
      {away.length > 0 && <Table label="When enforcement was off" columns={columns} rows={away.toReversed().slice(0, listed)} id={(s) => `${s.from} ${s.state}`} />}
      {away.length > listed && <p className="pt-2 text-muted">The newest {listed} of {num(away.length)}.</p>}
    </Section>
  );
}

function Line({ spans, first, total }: { spans: Span[]; first: number; total: number }) {
  const states = [...new Set(spans.map((s) => s.state))];
  return (
    <figure className="m-0 mb-3" aria-hidden="true">
      <svg width="100%" height="22" viewBox="0 0 1000 22" preserveAspectRatio="none" className="block rounded">
        {spans.map((s) => (
          <rect key={`${s.from} ${s.state}`} x={((s.from - first) / total) * 1_000} width={Math.max(1, ((s.to - s.from) / total) * 1_000)} y="0" height="22" className={looks[s.state].fill}>
            <title>{`${looks[s.state].text}: ${clock(s.from)} to ${clock(s.to)}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption className="mt-1 flex flex-wrap gap-x-4 text-sm text-muted">
        <span>{clock(first)}</span>
        {states.map((s) => (
          <span key={s} className="flex items-center gap-1.5">
            <svg width="10" height="10">
              <rect width="10" height="10" rx="2" className={looks[s].fill} />
            </svg>
            {looks[s].text}
          </span>
        ))}
        <span className="ml-auto">now</span>
      </figcaption>
    </figure>
  );
}

function clock(at: number): string {
  const t = new Date(at);
  return `${day(t)} ${String(t.getHours()).padStart(2, "0")}:${String(t.getMinutes()).padStart(2, "0")}:${String(t.getSeconds()).padStart(2, "0")}`;
}

function long(n: number): string {
  return n < 172_800_000 ? ms(n) : `${(n / 86_400_000).toFixed(1)} d`;
}
