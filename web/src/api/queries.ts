// One query for each route, so that pages that ask the same share the answer.
// Lists that grow (live rows, search) page by themselves.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Allowance, By, Entry, Found, Overview, Status, View } from "./answers";
import { call, get, send, text } from "./client";
import type { Conversation, Part } from "./conversation";
import { list } from "./lines";
import type { Flow, Row, Session, What } from "./types";

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

/** How many flows match. It is also how a filter is checked while it is typed. */
export const count = (q: string) =>
  queryOptions({
    queryKey: ["count", q],
    queryFn: ({ signal }) => get<{ count: number }>("/rows/count", { q }, signal),
    staleTime: 10_000,
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
export const reveal = (id: string, span: { finding: string; start: number; end: number; place: string; part: number; why: string }) =>
  send<{ value: string }>("POST", `/flows/${part(id)}/reveal`, span);

/** A search reads content, too. */
export const search = (q: string, limit: number, before: string | undefined, why: string) =>
  queryOptions({
    queryKey: ["search", q, limit, before],
    queryFn: ({ signal }) => get<Found>("/search", { q, limit, before, why }, signal),
    ...once,
  });

export const overview = (q: string, by: By) =>
  queryOptions({ queryKey: ["overview", q, by], queryFn: ({ signal }) => get<Overview>("/overview", { q, by }, signal) });

/** kind: "read" is who read content, "event" all else. Newest last. */
export const journal = (limit: number, before?: number, kind?: "read" | "event") =>
  queryOptions({ queryKey: ["journal", limit, before, kind], queryFn: ({ signal }) => get<{ entries: Entry[] }>("/journal", { limit, before, kind }, signal) });

export const policyText = queryOptions({ queryKey: ["policy-text"], queryFn: ({ signal }) => text("/policy/text", {}, signal) });

export const views = queryOptions({ queryKey: ["views"], queryFn: ({ signal }) => get<{ views: View[] }>("/views", {}, signal) });

export const saveView = (v: Omit<View, "owner">) => send<View>("POST", "/views", v);
export const deleteView = (name: string) => send("DELETE", `/views/${part(name)}`);

export const allowances = queryOptions({ queryKey: ["allowances"], queryFn: ({ signal }) => list<Allowance>("/allowances", {}, signal) });

const once = { staleTime: Infinity, refetchOnWindowFocus: false, refetchOnReconnect: false } as const;

/** An id as a path segment. */
function part(id: string): string {
  return encodeURIComponent(id);
}
