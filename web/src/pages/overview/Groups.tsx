import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { By, Group } from "../../api/answers";
import { overview } from "../../api/queries";
import { Button } from "../../parts/Button";
import { Line } from "../../parts/Captured";
import { Choice } from "../../parts/Choice";
import { csv, saveText } from "../../parts/csv";
import { num, partial, short, shortSession } from "../../parts/format";
import { Icon } from "../../parts/Icon";
import { masked, useNames } from "../../parts/names";
import { Failed, Waiting } from "../../parts/Note";
import { Section } from "../../parts/Section";
import { Table, type Column } from "../../parts/Table";
import { within, type Period } from "./period";
import { cacheShare, chosen, fileName, measured, percent, table } from "./sums";

export const bys = ["agent", "model", "session", "day", "principal"] as const satisfies readonly By[];
type TableBy = (typeof bys)[number];

const titles: Record<TableBy, string> = { agent: "Agent", model: "Model", session: "Session", day: "Day", principal: "Person" };
const few = 100; // rows before “show all”

interface Props {
  q: string;
  period: Period;
  by: TableBy;
  sort: string | undefined;
  onBy(by: TableBy): void;
  onSort(sort: string): void;
}

/** The sums by one thing. Persons are never ranked: their table has the order of
 * the alphabet, and masks in place of names until somebody asks for them. */
export function Groups({ q, period, by, sort, onBy, onSort }: Props) {
  const { data, error, refetch } = useQuery({ ...overview(within(q, period), by), ...(by === "session" ? { refetchInterval: false as const } : {}) }); // sessions may be many
  const named = useNames();
  const [all, setAll] = useState(false);
  const people = by === "principal";
  const groups = data?.groups.filter((g) => g.keys.length === 1) ?? [];
  const hidden = people && !named;
  const name = (g: Group) => (hidden ? masked(g.keys[0] ?? "") : (g.keys[0] ?? ""));
  const shown = all ? groups : cut(groups, by, sort);
  return (
    <Section
      title={`By ${titles[by].toLowerCase()}`}
      more={
        <>
          <Choice label="Group by" value={by} options={bys.map((b) => ({ value: b, text: titles[b] }))} onChange={onBy} />
          <Button small disabled={!data} onClick={() => saveText(fileName(by), csv(table(by, groups, name)), "text/csv;charset=utf-8")}>
            <Icon name="download" size={13} /> CSV
          </Button>
        </>
      }
      says={people ? (named ? "In the order of the alphabet: sums of people are no ranking." : "Names are masked. Show them, with the eye at the top, to follow a row to its calls.") : undefined}
    >
      {error && !data ? <Failed error={error} again={() => void refetch()} /> : !data && <Waiting what="the sums" />}
      {data && <Table label={`Sums by ${by}`} columns={columns(by, q, period, name, hidden)} rows={shown} id={(g) => `${g.principal ?? ""} ${g.keys[0]}`} {...(people ? {} : { sort: sort ?? usualSort(by), onSort })} />}
      {shown.length < groups.length && (
        <p className="pt-2">
          <Button small onClick={() => setAll(true)}>
            Show all {num(groups.length)}
          </Button>
        </p>
      )}
    </Section>
  );
}

function usualSort(by: TableBy): string {
  return by === "day" ? titles.day : "Spend";
}

/** The first of many, as they are sorted. */
function cut(groups: Group[], by: TableBy, sort: string | undefined): Group[] {
  if (groups.length <= few) return groups;
  if (by === "principal") return groups.slice(0, few);
  const order = sort ?? usualSort(by);
  const column = columns(by, "", "all", (g) => g.keys[0] ?? "", false).find((c) => c.name === order.replace("-", ""));
  const sorted = column?.sort ? groups.toSorted(column.sort) : groups;
  return (order.startsWith("-") ? sorted.toReversed() : sorted).slice(0, few);
}

type C = Column<Group>;

function columns(by: TableBy, q: string, period: Period, name: (g: Group) => string, hidden: boolean): C[] {
  const figure = (title: string, of: (g: Group) => number, says?: string, draw = short, wide = false): C => ({
    name: title, right: true, wide, ...(says ? { title: says } : {}), cell: (g) => <Number n={of(g)} draw={draw} />, sort: (a, b) => of(b) - of(a),
  });
  return [
    {
      name: titles[by],
      cell: (g) => <Key g={g} by={by} name={name(g)} q={hidden ? undefined : chosen(q, period, by, g)} />,
      sort: (a, b) => (a.keys[0] ?? "").localeCompare(b.keys[0] ?? "") * (by === "day" ? -1 : 1),
    },
    figure("Calls", (g) => g.flows, undefined, num),
    figure("Turns", (g) => g.turns, "Model calls, without a client’s retries", num, true),
    figure("Input", (g) => g.usage.input + g.usage.cache_write, "Tokens in that did not come from the provider’s cache"),
    figure("Output", (g) => g.usage.output, "Tokens out, with reasoning"),
    figure("Cached", (g) => g.usage.cache_read, "Tokens that came from the provider’s cache", short, true),
    { name: "Cache share", title: "Of the tokens that went in, those from the cache", right: true, cell: (g) => percent(cacheShare(g)), sort: (a, b) => (cacheShare(b) ?? -1) - (cacheShare(a) ?? -1) },
    { name: "Spend", title: "US dollars, at list prices; ≥: some calls have no known price", right: true, cell: (g) => <Spend g={g} />, sort: (a, b) => (measured(b, "spend") ?? -1) - (measured(a, "spend") ?? -1) },
    figure("Blocked", (g) => g.blocked, undefined, num),
    figure("Redacted", (g) => g.redacted, undefined, num),
    figure("Would", (g) => g.would, "Passed; enforcing would have acted", num),
    figure("Failed", (g) => g.failed, "Errors, broken off", num),
  ];
}

function Number({ n, draw }: { n: number; draw: (n: number) => string }) {
  return n === 0 ? <span className="text-muted">0</span> : <span title={num(n)}>{draw(n)}</span>;
}

function Spend({ g }: { g: Group }) {
  if (g.cost_usd === null && g.unpriced === 0) return <span className="text-muted">–</span>;
  return (
    <span title={g.unpriced > 0 ? `partial: ${num(g.unpriced)} calls without a known price` : undefined} className={g.cost_usd === null ? "text-ask" : ""}>
      {partial(g.cost_usd, g.unpriced > 0)}
    </span>
  );
}

function Key({ g, by, name, q }: { g: Group; by: TableBy; name: string; q: string | undefined }) {
  const named = useNames(); // an address says whose it is, too
  const text = <Line text={name === "" ? `no ${by} known` : by === "session" ? shortSession(name) : name} />;
  if (q === undefined) return text;
  const look = "text-accent hover:underline";
  if (by === "session" && name !== "") {
    return (
      <Link to="/sessions/$session" params={{ session: name }} search={named && g.principal ? { principal: g.principal } : {}} className={look}>
        {text}
      </Link>
    );
  }
  return (
    <Link to="/live" search={{ q }} className={look}>
      {text}
    </Link>
  );
}
