// One query for each route, so that pages that ask the same share the answer.
// Lists that grow (live rows, search) page by themselves.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { AccessKey, Allowance, By, Coverage, Entry, Explanation, Found, Growth, Overview, PolicyTests, RemoteDetector, Setup, Status, Verifying, View } from "./answers";
import { call, get, send, text, type Params } from "./client";
import type { Conversation, Part } from "./conversation";
import { list, stream } from "./lines";
import type { Flow, FlowView, Row, Session, What } from "./types";

export const status = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => get<Status>("/status", {}, signal),
  refetchInterval: 10_000,
  staleTime: 5_000,
});

/** A page of rows, newest last; more says that older ones exist. */
export async function rows(q: string, limit: number, before?: string, signal?: AbortSignal): Promise<{ rows: Row[]; more: boolean }> {
  const answer = await call("/rows", { q, limit, before }, signal ? { signal } : {});
  return { rows: (await answer.json()) as Row[], more: answer.headers.get("X-More") === "1" };
}

/** The newest rows, for who looks for one of few. */
export const someRows = (q: string, limit: number) => queryOptions({ queryKey: ["some rows", q, limit], queryFn: ({ signal }) => rows(q, limit, undefined, signal) });

/** Whether a filter can be read, and whether it looks for texts. It is applied to
 * nothing: that is how it is checked while it is typed. */
export const check = (q: string) =>
  queryOptions({
    queryKey: ["check", q],
    queryFn: ({ signal }) => get<{ filter: string; texts: boolean }>("/filter", { q }, signal),
    staleTime: Infinity,
    retry: false,
  });

/** How many flows match, counted anew now and then: they keep coming. Not for what is
 * typed and has texts: to look for them is put on record. */
export const count = (q: string) =>
  queryOptions({
    queryKey: ["count", q],
    queryFn: ({ signal }) => get<{ count: number }>("/rows/count", { q }, signal),
    staleTime: 10_000,
    refetchInterval: 30_000,
  });

export const flow = (id: string) =>
  queryOptions({ queryKey: ["flow", id], queryFn: ({ signal }) => get<Flow>(`/flows/${part(id)}`, {}, signal) });

export const sessions = (q: string, limit: number) =>
  queryOptions({ queryKey: ["sessions", q, limit], queryFn: ({ signal }) => list<Session>("/sessions", { q, limit }, signal) });

export interface Asked {
  principal?: string | undefined;
  from?: string | undefined;
  end?: 1 | undefined; // the last window
  limit?: number | undefined;
}

/** Reads content: it is an entry in the ledger, each time. So it is asked once,
 * and asked again only when somebody says so. Windows follow each other; above
 * twelve those that are farthest away are let go. */
export const conversation = (session: string, asked: Asked, why: string) =>
  infiniteQueryOptions({
    queryKey: ["conversation", session, asked],
    queryFn: ({ signal, pageParam }) => get<Conversation>(`/sessions/${part(session)}/conversation`, { ...pageParam, why }, signal),
    initialPageParam: asked,
    getNextPageParam: (last) => (last.next ? { principal: last.principal, from: last.next } : undefined),
    getPreviousPageParam: (first) => (first.prev ? { principal: first.principal, from: first.prev } : undefined),
    maxPages: 12,
    ...once,
  });

export const flowConversation = (id: string, why: string) =>
  queryOptions({
    queryKey: ["flow-conversation", id],
    queryFn: ({ signal }) => get<Conversation>(`/flows/${part(id)}/conversation`, { why }, signal),
    ...once,
  });

/** A part that was cut, whole. */
export const wholePart = (id: string, n: number, why: string) =>
  queryOptions({
    queryKey: ["part", id, n],
    queryFn: ({ signal }) => get<Part>(`/flows/${part(id)}/parts/${n}`, { why }, signal),
    ...once,
  });

/** Exact bytes. */
export async function content(id: string, what: What, why: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const answer = await call(`/flows/${part(id)}/content/${what}`, { why }, signal ? { signal } : {});
  return answer.arrayBuffer();
}

/** The value under a mark. Its own entry in the ledger. */
export const reveal = (id: string, span: { finding: string; start: number; end: number; place?: string; part?: number; why: string }) =>
  send<{ value: string }>("POST", `/flows/${part(id)}/reveal`, span);

/** A search reads content, too. Its pages follow each other. */
export const search = (q: string, why: string) =>
  infiniteQueryOptions({
    queryKey: ["search", q],
    queryFn: ({ signal, pageParam }) => get<Found>("/search", { q, limit: 50, before: pageParam, why }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => (last.more ? last.next : undefined),
    retry: false,
    ...once,
  });

/** Flows added up, by one thing or two; days are those of this browser's clock. */
export const overview = (q: string, ...by: By[]) =>
  queryOptions({
    queryKey: ["overview", q, by],
    queryFn: ({ signal }) => get<Overview>("/overview", { q, by: by.join(","), offset: -new Date().getTimezoneOffset() }, signal),
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });

/** Flows with their findings, newest last. */
export const flowViews = (q: string, limit: number, before?: string, signal?: AbortSignal) => list<FlowView>("/flows", { q, limit, before }, signal);

/** kind: "read" is who read content, "event" all else. Newest last. */
export const journal = (limit: number, before?: number, kind?: "read" | "event") =>
  queryOptions({ queryKey: ["journal", limit, before, kind], queryFn: ({ signal }) => getJournal(limit, before, kind, signal) });

export const getJournal = (limit: number, before?: number, kind?: "read" | "event", signal?: AbortSignal) => get<{ entries: Entry[] }>("/journal", { limit, before, kind }, signal);

/** version: of the policy in force; another one has another text. */
export const policyText = (version: string) => queryOptions({ queryKey: ["policy-text", version], queryFn: ({ signal }) => text("/policy/text", {}, signal) });

export const views = queryOptions({ queryKey: ["views"], queryFn: ({ signal }) => get<{ views: View[] }>("/views", {}, signal) });

export const saveView = (v: Omit<View, "owner">) => send<View>("POST", "/views", v);
export const deleteView = (name: string) => send("DELETE", `/views/${part(name)}`);

export const policyTests = (version: string) => queryOptions({ queryKey: ["policy-tests", version], queryFn: ({ signal }) => get<PolicyTests>("/policy/tests", {}, signal) });

export const reloadPolicy = () => send("POST", "/policy/reload");

/** Which line of the policy in force decides a case. */
export const explain = (asked: Params) =>
  queryOptions({ queryKey: ["explain", asked], queryFn: ({ signal }) => get<Explanation>("/policy/explain", asked, signal) });

export const setup = queryOptions({ queryKey: ["setup"], queryFn: ({ signal }) => get<Setup>("/setup", {}, signal) });

export const coverage = queryOptions({ queryKey: ["coverage"], queryFn: ({ signal }) => get<Coverage>("/coverage", {}, signal) });

export const detectors = queryOptions({
  queryKey: ["detectors"],
  queryFn: ({ signal }) => get<{ detectors: RemoteDetector[] }>("/detectors", {}, signal),
  refetchInterval: 10_000,
});

export const growth = queryOptions({ queryKey: ["growth"], queryFn: ({ signal }) => get<Growth>("/ledger/growth", {}, signal) });

export const keys = queryOptions({ queryKey: ["keys"], queryFn: ({ signal }) => list<AccessKey>("/keys", {}, signal) });

/** Reads the whole record, with progress. */
export const verify = (signal: AbortSignal) => stream<Verifying>("/verify", {}, { method: "POST", signal });

export const allow = (a: { finding: string; scope: string; reason: string; until: string }) => send<Allowance>("POST", "/allowances", a);
export const revokeAllowance = (id: string) => send("DELETE", `/allowances/${part(id)}`);

export const allowances = queryOptions({ queryKey: ["allowances"], queryFn: ({ signal }) => list<Allowance>("/allowances", {}, signal) });

const once = { staleTime: Infinity, refetchOnWindowFocus: false, refetchOnReconnect: false } as const;

/** An id as a path segment. */
function part(id: string): string {
  return encodeURIComponent(id);
}
