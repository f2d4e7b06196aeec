// The one box: the same filter language on every page, written into the address.
import { useQuery } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState } from "react";
import { Problem } from "../../api/client";
import { count } from "../../api/queries";
import { IconButton } from "../Button";
import { Icon } from "../Icon";
import { num } from "../format";
import { useKeys } from "../keys";
import { Kbd } from "../Badge";

/** Pages whose list a filter narrows. From others it leads to Live. */
const filtered = ["/live", "/sessions", "/search", "/decisions", "/overview"];

export function FilterBox() {
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  const applied = (search as { q?: string }).q ?? "";
  const [text, setText] = useState(applied);
  const input = useRef<HTMLInputElement>(null);
  const says = useId();
  useEffect(() => setText(applied), [applied, pathname]);
  useKeys("Everywhere", [{ keys: "/", does: "filter or search", run: () => input.current?.select() }]);

  const apply = (q: string) => {
    const to = filtered.includes(pathname) ? pathname : "/live";
    void navigate({ to, search: (old: Record<string, unknown>) => ({ ...(to === pathname ? old : {}), q: q || undefined }) } as never);
    input.current?.blur();
  };
  const settled = useSettled(text.trim(), 250);
  const check = useQuery({ ...count(settled), enabled: settled !== "", retry: false });
  const problem = settled !== "" && check.error instanceof Problem && check.error.status === 400 ? check.error : undefined;
  return (
    <search className="relative min-w-0 flex-1">
      <form
        className={`flex h-8 items-center gap-2 rounded border bg-ground px-2 focus-within:border-accent ${problem ? "border-block" : "border-line"}`}
        onSubmit={(e) => (e.preventDefault(), apply(text.trim()))}
      >
        <Icon name={pathname === "/search" ? "search" : "filter"} className="text-muted" />
        <input
          ref={input}
          value={text}
          onChange={(e) => setText(e.target.value)}
          onKeyDown={(e) => e.key === "Escape" && (setText(applied), input.current?.blur())}
          aria-label={pathname === "/search" ? "Search" : "Filter"}
          aria-describedby={says}
          aria-invalid={problem !== undefined}
          placeholder='model:claude* cost>0.5 verdict:block since:1d "exact phrase"'
          spellCheck={false}
          autoComplete="off"
          className="mono min-w-0 flex-1 bg-transparent outline-none placeholder:text-muted"
        />
        {check.data && settled === text.trim() && <span className="shrink-0 text-sm text-muted">{num(check.data.count)} flows</span>}
        {text !== "" && (
          <IconButton name="Clear the filter" onClick={() => (setText(""), apply(""))} className="!h-5">
            <Icon name="close" size={12} />
          </IconButton>
        )}
        <Kbd>/</Kbd>
      </form>
      <div id={says} role={problem ? "alert" : undefined}>
        {problem && <FilterProblem text={settled} problem={problem} />}
      </div>
    </search>
  );
}

/** Points at the column that can't be read. */
function FilterProblem({ text, problem }: { text: string; problem: Problem }) {
  const column = problem.column ?? 1;
  const chars = [...text];
  return (
    <div className="absolute inset-x-0 top-full z-20 mt-1 rounded border border-block bg-panel px-3 py-2 shadow-lg">
      <p className="mono overflow-hidden whitespace-pre text-muted">
        {chars.slice(Math.max(0, column - 40), column - 1)}
        <mark className="bg-transparent text-block underline decoration-2">{chars[column - 1] ?? " "}</mark>
        {chars.slice(column, column + 40)}
      </p>
      <p>
        Column {column}: {problem.message}
      </p>
      {problem.hint && <p className="text-muted">{problem.hint}</p>}
    </div>
  );
}

function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
