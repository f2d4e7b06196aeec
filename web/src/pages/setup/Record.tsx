import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AccessKey, Growth, Kept, Status } from "../../api/answers";
import { growth, keys, status } from "../../api/queries";
import { Badge } from "../../parts/Badge";
import { bytes, day, exact, num, time } from "../../parts/format";
import { Failed, Waiting } from "../../parts/Note";
import { Fact, Facts, Section } from "../../parts/Section";
import { Table, type Column } from "../../parts/Table";
import { Who } from "../../parts/Who";
import { paceOf } from "./pace";
import { Verified } from "./Verified";

/** The ledger: how large, how sure, what is kept of whom, and who has a key. */
export function Record() {
  const { data: s, error, refetch } = useQuery(status);
  const grown = useQuery(growth);
  if (error && !s) return <Failed error={error} again={() => void refetch()} />;
  if (!s) return <Waiting what="the record’s state" />;
  return (
    <>
      <div className="grid items-start gap-3 lg:grid-cols-2">
        <Section title="Size">
          <Facts>
            <Fact name="On disk">
              {bytes(s.ledger.bytes)} in {num(s.ledger.segments)} {s.ledger.segments === 1 ? "file" : "files"}
            </Fact>
            <Fact name="Grows">{grown.data ? <Pace growth={grown.data} kept={s.kept} /> : grown.error ? "could not be read" : "…"}</Fact>
            <Fact name="Entries">{num(s.ledger.entries)}</Fact>
            <Fact name="Durability">{modes[s.ledger.mode] ?? s.ledger.mode}</Fact>
            <Fact name="Under way">
              {num(s.ledger.open)} open {s.ledger.open === 1 ? "flow" : "flows"}, {bytes(s.ledger.queue_bytes)} wait to be written, {num(s.ledger.unindexed)} entries wait for the index
              {s.ledger.at_risk > 0 && `, ${num(s.ledger.at_risk)} not durable yet`}
            </Fact>
            <Fact name="Disk">{s.ledger.fault ? <Badge tone="bad">{s.ledger.fault}</Badge> : s.ledger.full ? <Badge tone="bad">nearly full: new calls are refused</Badge> : <Badge tone="good">has room</Badge>}</Fact>
            <Fact name="Folder">
              <span className="mono">{s.data}</span>
            </Fact>
          </Facts>
        </Section>
        <Verified />
      </div>
      <div className="grid items-start gap-3 lg:grid-cols-2">
        <Section title="What is kept, and for how long">
          <KeptOf kept={s.kept} />
          <p className="mt-3 text-muted">
            Credentials are not kept: keyed fingerprints are. Who reads content is on record:{" "}
            <Link to="/setup" search={{ tab: "readers" }} className="text-accent underline">
              who read
            </Link>
            .
          </p>
        </Section>
        <Section title="Custody" says={custodies[s.custody]}>
          <Badge>{s.custody === "same-user" ? "same user" : "own user"}</Badge>
        </Section>
      </div>
      <Keys />
    </>
  );
}

const modes: Record<string, string> = {
  strict: "strict: nothing passes before its entry is on disk",
  bounded: "bounded: the last moments may be lost when the machine fails",
};

const custodies: Record<Status["custody"], string> = {
  "same-user": "Gateway and record run as the user whom they watch, so that user could change or delete the files; verifying shows a change, it can’t undo one.",
  "own-user": "Gateway and record run as a user of their own: the users whom they watch can’t change the files.",
};

function Pace({ growth: g, kept }: { growth: Growth; kept: Kept }) {
  const pace = paceOf(g.segments, Date.now());
  if (pace === undefined) return <>too young to tell</>;
  const left = kept.max_bytes > 0 && pace > 0 ? (kept.max_bytes - g.segments.reduce((n, s) => n + s.bytes, 0)) / pace : undefined;
  return (
    <>
      about {bytes(Math.round(pace))} a day{left !== undefined && (left > 0 ? `; at that pace the limit is reached in ${num(Math.max(1, Math.round(left)))} days` : "; the limit is reached, the oldest goes")}
    </>
  );
}

function KeptOf({ kept: k }: { kept: Kept }) {
  const capture = k.capture ?? [];
  return (
    <Facts>
      <Fact name="Of whom">
        {capture.map((c, i) => (
          <span key={i} className="block">
            {c.principal === "*" ? "everybody else" : <Who principal={c.principal} />}: {levels[c.level]}
          </span>
        ))}
        {!capture.some((c) => c.principal === "*") && (
          <span className="block">
            {capture.length > 0 ? "everybody else" : "everybody"}: {levels.full}
          </span>
        )}
      </Fact>
      <Fact name="How long">
        {k.max_days > 0 ? `${num(k.max_days)} days` : "without a limit of time"}; {k.max_bytes > 0 ? `${bytes(k.max_bytes)} at most, the oldest goes first` : "without a limit of size"}
        {k.max_days === 0 && k.max_bytes === 0 && <span className="block text-muted">Nothing is removed by itself: ledger.max_age and ledger.max_size in the settings say otherwise.</span>}
      </Fact>
    </Facts>
  );
}

const levels = { full: "everything that was said", metadata: "metadata only: no content" } as const;

const columns: Column<AccessKey>[] = [
  { name: "Name", cell: (k) => k.name },
  { name: "Made", cell: (k) => <span title={exact(k.created)}>{day(k.created)}</span> },
  { name: "State", cell: (k) => (k.revoked ? <Badge title={exact(k.revoked)}>revoked {time(k.revoked)}</Badge> : <Badge tone="good">valid</Badge>) },
];

function Keys() {
  const { data, error } = useQuery(keys);
  return (
    <Section title="Access keys" says="Who calls with a key is known by its name, from whatever machine. Their values are kept nowhere.">
      {error && !data ? <Failed error={error} /> : !data ? <Waiting what="keys" /> : data.length > 0 ? <Table label="Access keys" columns={columns} rows={data} id={(k) => k.name} /> : <p className="text-muted">There is none. <span className="mono">gatehouse key add NAME</span> makes one and shows it once.</p>}
    </Section>
  );
}
