// The one box: the same filter language on every page, written into the address.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { Problem } from "../../api/client";
import { check, count } from "../../api/queries";
import { Kbd } from "../Badge";
import { IconButton } from "../Button";
import { Signed } from "../Captured";
import { num } from "../format";
import { Icon } from "../Icon";
import { useKeys } from "../keys";
import { remember } from "../recent";
import { useSettled } from "../settled";
import { acted, both } from "../terms";
import { Offers, useOffers, type Offer } from "./Offers";
import { Views } from "./Views";

/** Pages whose list a filter narrows. From others it leads to Live. */
const filtered = ["/live", "/sessions", "/search", "/decisions", "/overview"];

export function FilterBox() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { pathname, search } = useLocation();
  const applied = (search as { q?: string }).q ?? "";
  const page = filtered.includes(pathname) ? pathname : "/live";
  const searching = page === "/search";
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState({ text: applied, caret: applied.length });
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1); // the offer that the arrows are on
  const id = useId();
  const { text } = typed;

  const type = (next: string, caret = next.length) => (setTyped({ text: next, caret }), setAt(-1));
  useEffect(() => setTyped({ text: applied, caret: applied.length }), [applied, pathname]);
  useEffect(() => {
    const box = input.current;
    if (box && document.activeElement === box && box.value === typed.text) box.setSelectionRange(typed.caret, typed.caret);
  }, [typed]);
  useKeys("Everywhere", [{ keys: "/", does: "filter or search", run: () => input.current?.select() }]);

  // Who has a filter to mend stays in the box: elsewhere a letter is a command.
  const leave = (q: string) => input.current?.value.trim() === q && input.current.blur();
  const apply = (q: string, to = page) => {
    setOpen(false);
    void navigate({ to, search: (old: Record<string, unknown>) => ({ ...(to === pathname ? old : {}), q: q || undefined, flow: undefined }) } as never);
    if (q === "") return void input.current?.blur();
    client.fetchQuery(check(q)).then(
      () => (remember(q), leave(q)),
      (e: unknown) => !wrong(e) && leave(q),
    );
  };
  const offers = useOffers(typed.text, typed.caret, open, searching);
  const take = (o: Offer) => (o.whole ? apply(o.text) : type(o.text, o.caret));
  const onKeyDown = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    const chosen = offers[at] ?? (e.key === "Tab" && text !== "" && !e.shiftKey ? offers[0] : undefined);
    if (step) {
      setOpen(true);
      setAt(offers.length === 0 ? -1 : (at + step + offers.length + (at < 0 && step < 0 ? 1 : 0)) % offers.length);
    } else if (e.key === "Escape") {
      if (open && offers.length > 0) setOpen(false);
      else (type(applied), input.current?.blur());
    } else if ((e.key === "Enter" || e.key === "Tab") && chosen) take(chosen);
    else return;
    e.preventDefault();
  };

  const settled = useSettled(text.trim(), 250);
  const checked = useQuery({ ...check(settled), enabled: settled !== "" });
  const counted = useQuery({ ...count(page === "/decisions" ? both(settled, acted) : settled), enabled: settled !== "" && checked.data?.texts === false && !searching, retry: false });
  const problem = settled !== "" && settled === text.trim() && wrong(checked.error) ? checked.error : undefined;
  const offering = open && offers.length > 0;
  return (
    <search className="relative flex min-w-0 flex-1 items-center gap-1 max-md:basis-full">
      <form
        className={`flex h-8 min-w-0 flex-1 items-center gap-2 rounded border bg-ground px-2 focus-within:border-accent ${problem ? "border-block" : "border-line"}`}
        onSubmit={(e) => (e.preventDefault(), apply(text.trim()))}
      >
        <Icon name={searching ? "search" : "filter"} className="text-muted" />
        <input
          ref={input}
          value={text}
          onChange={(e) => (type(e.target.value, e.target.selectionStart ?? e.target.value.length), setOpen(true))}
          onSelect={(e) => e.currentTarget.selectionStart !== typed.caret && setTyped({ text, caret: e.currentTarget.selectionStart ?? text.length })}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
          role="combobox"
          aria-label={searching ? "Search" : "Filter"}
          aria-expanded={offering}
          aria-controls={`${id}-offers`}
          aria-activedescendant={offering && at >= 0 ? `${id}-offers-${at}` : undefined}
          aria-autocomplete="list"
          aria-describedby={`${id}-says`}
          aria-invalid={problem !== undefined}
          placeholder={searching ? 'a word, "an exact phrase", wor*, with fields: agent:claude since:7d' : 'model:claude* cost>0.5 verdict:block since:1d "exact phrase"'}
          spellCheck={false}
          autoComplete="off"
          className="mono min-w-0 flex-1 bg-transparent outline-none placeholder:text-muted"
        />
        {counted.data && settled === text.trim() && settled !== "" && (
          <span className="shrink-0 text-sm text-muted">
            {num(counted.data.count)} {counted.data.count === 1 ? "flow" : "flows"}
          </span>
        )}
        {text !== "" && (
          <IconButton name="Clear the filter" onClick={() => (type(""), apply(""))} className="!h-5">
            <Icon name="close" size={12} />
          </IconButton>
        )}
        <Kbd>/</Kbd>
      </form>
      <Views page={page} q={text.trim()} onChoose={(v) => apply(v.q, filtered.includes(v.page) ? v.page : "/live")} />
      <div className="absolute inset-x-0 top-full z-20 mt-1">
        <Offers id={`${id}-offers`} offers={offering ? offers : []} at={at} onPoint={setAt} onTake={take} />
        <div id={`${id}-says`} role={problem ? "alert" : undefined}>
          {problem && !(offering && text.length === typed.caret) && <FilterProblem text={settled} problem={problem} />}
        </div>
      </div>
    </search>
  );
}

/** Whether it is the filter that can't be read, and not the gateway that can't be asked. */
const wrong = (e: unknown): e is Problem => e instanceof Problem && e.column !== undefined;

/** Points at what can't be read: from the column to the end of its word. */
function FilterProblem({ text, problem }: { text: string; problem: Problem }) {
  const chars = [...text];
  const from = (problem.column ?? 1) - 1;
  const space = chars.indexOf(" ", from);
  const to = space <= from ? (space === from ? from + 1 : chars.length) : space;
  return (
    <div className="rounded border border-block bg-panel px-3 py-2 shadow-lg">
      <p className="mono overflow-hidden pb-1 whitespace-pre text-muted">
        {from > 40 && "…"}
        <Signed text={chars.slice(Math.max(0, from - 40), from).join("")} flat />
        <mark className="bg-transparent text-block underline decoration-wavy underline-offset-4">
          <Signed text={chars.slice(from, to).join("") || " "} flat />
        </mark>
        <Signed text={chars.slice(to, to + 60).join("")} flat />
      </p>
      <p>
        Column {from + 1}: <Signed text={problem.message} flat />
      </p>
      {problem.hint && (
        <p className="text-muted">
          <Signed text={problem.hint} flat />
        </p>
      )}
    </div>
  );
}
