import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Entry } from "../../api/answers";
import { getJournal } from "../../api/queries";
import { Button } from "../../parts/Button";
import { Line, Signed } from "../../parts/Captured";
import { exact, shortSession, time } from "../../parts/format";
import { Failed, Waiting } from "../../parts/Note";
import { Section } from "../../parts/Section";
import { Table, type Column } from "../../parts/Table";
import { Who } from "../../parts/Who";

const page = 200;

const whats: Record<string, string> = {
  request: "the request’s bytes", forwarded: "the bytes that were forwarded", response: "the answer’s bytes", delivered: "the bytes that were delivered",
  conversation: "a session’s conversation", "conversation of flow": "a flow’s conversation", "vault of session": "values behind pseudonyms",
};

function What({ entry: e }: { entry: Entry }) {
  if (e.query !== undefined) {
    return (
      <>
        search for <Line text={e.query} className="mono" />
      </>
    );
  }
  if (e.part?.startsWith("reveal ")) return <Line text={`a value was revealed: ${e.part.split(" ")[1] ?? ""}`} />;
  if (e.part?.startsWith("part ")) return <Line text={`${e.part} of the flow`} />;
  return <Line text={whats[e.what ?? ""] ?? e.what ?? "content"} />;
}

const columns: Column<Entry>[] = [
  { name: "When", cell: (e) => <span title={exact(e.at)}>{time(e.at)}</span> },
  { name: "Who", cell: (e) => <Who principal={e.who ?? ""} /> },
  { name: "Why", cell: (e) => <Signed text={e.why ?? ""} /> },
  { name: "What", cell: (e) => <What entry={e} /> },
  {
    name: "Of",
    cell: (e) =>
      e.session ? (
        <Link to="/sessions/$session" params={{ session: e.session }} search={e.principal ? { principal: e.principal } : {}} className="text-accent hover:underline">
          session <Line text={shortSession(e.session)} />
        </Link>
      ) : e.flow ? (
        <Link to="/flows/$flow" params={{ flow: e.flow }} className="mono text-accent hover:underline">
          {e.flow}
        </Link>
      ) : (
        e.principal ? <Who principal={e.principal} /> : "–"
      ),
  },
  { name: "Entry", right: true, cell: (e) => <span className="mono text-muted">{e.entry}</span> },
];

/** Who read what agents said, and with what reason. */
export function Readers() {
  const { data, error, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ["journal", "readers"],
    queryFn: ({ pageParam, signal }) => getJournal(page, pageParam || undefined, "read", signal),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.entries.length < page ? undefined : last.entries[0]?.entry),
  });
  if (error && !data) return <Failed error={error} again={() => void refetch()} />;
  if (!data) return <Waiting what="the journal" />;
  const entries = data.pages.flatMap((p) => p.entries.toReversed());
  return (
    <Section title="Who read what agents said" says="Each reading is an entry before anything is shown, also from the command line. Nobody can take one back.">
      {entries.length === 0 ? <p className="text-muted">Nobody has read any content yet. Opening a session, searching text, or revealing a value puts a line here.</p> : <Table label="Readings, newest first" columns={columns} rows={entries} id={(e) => String(e.entry)} />}
      {hasNextPage && (
        <p className="pt-2">
          <Button small onClick={() => void fetchNextPage()}>
            Older ones
          </Button>
        </p>
      )}
    </Section>
  );
}
