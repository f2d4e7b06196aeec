// Text in all that was said: where a session first had it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Problem } from "../../api/client";
import { search as query } from "../../api/queries";
import { why } from "../../api/why";
import { Button } from "../../parts/Button";
import { num } from "../../parts/format";
import { useKeys } from "../../parts/keys";
import { Empty, Failed, Waiting } from "../../parts/Note";
import { HitView } from "./HitView";
import { hiddenIn, kindOf, kinds, shownOf, showOf, type Kind } from "./kinds";

const route = getRouteApi("/search");

export function Search() {
  const { q = "" } = route.useSearch();
  return q.trim() === "" ? <How /> : <Found key={q} q={q} />;
}

function Found({ q }: { q: string }) {
  const navigate = route.useNavigate();
  const found = useInfiniteQuery(query(q, why()));
  const [cursor, setCursor] = useState(-1);
  const list = useRef<HTMLOListElement>(null);
  const { show } = route.useSearch();
  const shown = shownOf(show);
  const all = found.data?.pages.flatMap((p) => p.hits) ?? [];
  const hits = all.filter((h) => shown.has(kindOf(h)));
  const hidden = hiddenIn(all, shown);
  const indexed = found.data?.pages[0]?.indexed;

  // Newer browsers answer a promise: it is no cleanup.
  useEffect(() => {
    void list.current?.children[cursor]?.scrollIntoView({ block: "nearest" });
  }, [cursor]);
  const move = (to: number) => setCursor(Math.max(0, Math.min(hits.length - 1, to)));
  const open = () => {
    const hit = hits[cursor];
    if (hit) void navigate({ to: "/sessions/$session", params: { session: hit.session }, search: { principal: hit.principal, flow: hit.flow } });
  };
  useKeys("Search", [
    { keys: "j", also: "ArrowDown", does: "next hit", run: () => move(cursor + 1) },
    { keys: "k", also: "ArrowUp", does: "hit before", run: () => move(cursor - 1) },
    { keys: "Enter", does: "open it in its session", run: open },
    { keys: "Escape", does: "choose none", run: () => setCursor(-1) },
    { keys: "g g", also: "Home", does: "to the first", run: () => move(0) },
    { keys: "G", also: "End", does: "to the last", run: () => move(hits.length - 1) },
  ]);

  if (found.isPending) return <Waiting what="what was said" />;
  if (found.error && all.length === 0) return <Wrong error={found.error} again={() => void found.refetch()} />;
  return (
    <div className="mx-auto max-w-5xl px-4 py-3">
      <div className="mb-2 flex min-h-7 items-center gap-3 text-muted">
        <p role="status">
          {num(hits.length)}
          {found.hasNextPage ? " hits so far" : hits.length === 1 ? " hit" : " hits"}{hits.length > 0 && ", newest first. Each is where a session first had it"}.
        </p>
      </div>
      {indexed && indexed.done < indexed.total && <Building done={indexed.done} total={indexed.total} again={() => void found.refetch()} />}
      {all.length > 0 && <Kinds shown={shown} onShow={(next) => void navigate({ search: (old) => ({ ...old, show: showOf(next) }), replace: true })} />}
      {all.length === 0 ? (
        <NoHits complete={!indexed || indexed.done >= indexed.total} />
      ) : (
        <ol ref={list} className="space-y-2" aria-label="Hits">
          {hits.map((h, i) => (
            <HitView key={`${h.flow} ${i}`} hit={h} on={i === cursor} />
          ))}
        </ol>
      )}
      {hidden !== "" && (
        <p className="py-2 text-muted">
          {hidden}.{" "}
          <button type="button" className="text-accent underline" onClick={() => void navigate({ search: (old) => ({ ...old, show: showOf(new Set(kinds.map((k) => k.kind))) }), replace: true })}>
            Show all
          </button>
        </p>
      )}
      {found.error && <Failed error={found.error} />}
      {found.hasNextPage && (
        <div className="py-4 text-center">
          <Button disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            {found.isFetchingNextPage ? "Searching…" : "Older ones"}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Which kinds of text are shown. */
function Kinds({ shown, onShow }: { shown: ReadonlySet<Kind>; onShow(next: ReadonlySet<Kind>): void }) {
  const toggled = (kind: Kind) => {
    const next = new Set(shown);
    if (!next.delete(kind)) next.add(kind);
    return next;
  };
  return (
    <div role="group" aria-label="Show hits in" className="mb-3 flex flex-wrap gap-1.5">
      {kinds.map((k) => (
        <Button key={k.kind} small on={shown.has(k.kind)} onClick={() => onShow(toggled(k.kind))}>
          {k.name}
        </Button>
      ))}
    </div>
  );
}

/** How much of what was recorded can be found so far. */
function Building({ done, total, again }: { done: number; total: number; again(): void }) {
  const percent = Math.floor((100 * done) / Math.max(1, total));
  return (
    <div className="mb-3 flex items-center gap-3 rounded border border-ask bg-panel px-3 py-2">
      <span role="progressbar" aria-label="Read so far" aria-valuenow={percent} className="h-1.5 w-40 shrink-0 overflow-hidden rounded bg-raised">
        <span className="block h-full bg-ask" style={{ width: `${percent}%` }} />
      </span>
      <span>{percent} % of what was recorded has been read so far; what is missing is not searched yet.</span>
      <Button small className="ml-auto" onClick={again}>
        Search again
      </Button>
    </div>
  );
}

function NoHits({ complete }: { complete: boolean }) {
  return (
    <Empty title="Nothing was found">
      <p>{complete ? "No text that agents sent or models answered has this, in the flows that the fields choose." : "Not in what has been read so far."}</p>
      <p>Words are whole words: put * behind the beginning of one. A phrase stands in quotes. Fewer fields find more.</p>
    </Empty>
  );
}

/** A query that names no text is no mistake: Live lists by fields. */
function Wrong({ error, again }: { error: unknown; again(): void }) {
  const { q = "" } = route.useSearch();
  if (!(error instanceof Problem && error.kind === "no_text")) return <Failed error={error} again={again} />;
  return (
    <Empty title="A search needs a word, or a “phrase”">
      <p>These are fields alone. They choose flows, which Live lists:</p>
      <p>
        <Link to="/live" search={{ q }} className="text-accent underline">
          Show them in Live
        </Link>
      </p>
    </Empty>
  );
}

const examples = [
  ['"rm -rf"', "these words, one behind the other"],
  ["password*", "a word that begins so"],
  ["deploy agent:claude since:7d", "of one agent, of the last week"],
  ["token -model:gpt*", "not of these models"],
] as const;

function How() {
  return (
    <Empty title="Search all that was said">
      <p>
        In what people asked, what models answered, and what tools were given and gave back. A text that is sent again with every turn is one hit: where it first stood. That you search, and for what, is put on
        record.
      </p>
      <table className="mx-auto mt-4 text-left">
        <tbody>
          {examples.map(([q, says]) => (
            <tr key={q}>
              <td className="py-1 pr-6 whitespace-nowrap">
                <Link to="/search" search={{ q }} className="mono text-accent underline">
                  {q}
                </Link>
              </td>
              <td>{says}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Empty>
  );
}
