// The flows about which policy did something, or would have.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { flowViews } from "../../api/queries";
import type { Finding, FlowView } from "../../api/types";
import { acted, both } from "../../parts/terms";

const page = 200;

export interface Decided {
  flows: FlowView[]; // newest first
  error: unknown;
  loading: boolean;
  more: boolean; // older ones exist
  older(): void;
  again(): void;
}

export function useDecided(q: string, wanted: boolean): Decided {
  const { data, error, isLoading, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ["decided", q],
    queryFn: ({ pageParam, signal }) => flowViews(both(q, acted), page, pageParam || undefined, signal),
    initialPageParam: "",
    getNextPageParam: (last) => (last.length < page ? undefined : last[0]?.id),
    enabled: wanted,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data && query.state.data.pages.length > 1 ? false : 5_000), // who reads on is not moved
  });
  const flows = (data?.pages ?? []).flatMap((p) => p.toReversed());
  // What was shown stays while the gateway is away: the bar at the top tells.
  return { flows, error: data ? undefined : error, loading: isLoading, more: hasNextPage, older: () => void fetchNextPage(), again: () => void refetch() };
}

/** What policy acted on, or would have: not what it only flagged. */
export function actedOn(f: Finding): boolean {
  return f.action === "block" || f.action === "ask" || f.action === "redact";
}

/** Rules that decided, of which nothing was found: "limit:size", "blind:login". */
export function bare(v: FlowView): string[] {
  return (v.rules ?? []).filter((r) => /^(limit|blind):/.test(r));
}
