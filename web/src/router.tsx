// The pages and their addresses. A page's code is fetched when it is first shown.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, type ErrorComponentProps } from "@tanstack/react-router";
import { Empty, Failed } from "./parts/Note";
import { Shell } from "./parts/shell/Shell";

type Search = Record<string, string | undefined>;

/** Keeps the parameters that the page knows. All are plain text. */
const known =
  <K extends string>(...names: K[]) =>
  (search: Search): { [name in K]?: string | undefined } =>
    Object.fromEntries(names.filter((n) => search[n]).map((n) => [n, search[n]])) as { [name in K]?: string | undefined };

const root = createRootRoute({ component: Shell, notFoundComponent: Lost, errorComponent: Broken });
const at = <P extends string>(path: P) => ({ getParentRoute: () => root, path });

const home = createRoute({ ...at("/"), beforeLoad: () => { throw redirect({ to: "/live", replace: true }); } });
const login = createRoute({ ...at("/login"), beforeLoad: () => { throw redirect({ to: "/live", replace: true }); } });
const live = createRoute({ ...at("/live"), validateSearch: known("q", "flow", "paused"), component: lazyRouteComponent(() => import("./pages/live/Live"), "Live") });
const sessions = createRoute({ ...at("/sessions"), validateSearch: known("q", "sort", "all"), component: lazyRouteComponent(() => import("./pages/sessions/Sessions"), "Sessions") });
const session = createRoute({ ...at("/sessions/$session"), validateSearch: known("principal", "flow", "part"), component: lazyRouteComponent(() => import("./pages/session/Session"), "Session") });
const search = createRoute({ ...at("/search"), validateSearch: known("q", "show"), component: lazyRouteComponent(() => import("./pages/search/Search"), "Search") });
const decisions = createRoute({ ...at("/decisions"), validateSearch: known("q", "tab", "flow", "line"), component: lazyRouteComponent(() => import("./pages/decisions/Decisions"), "Decisions") });
const overview = createRoute({ ...at("/overview"), validateSearch: known("q", "by", "since", "of", "sort"), component: lazyRouteComponent(() => import("./pages/overview/Overview"), "Overview") });
const setup = createRoute({ ...at("/setup"), validateSearch: known("tab"), component: lazyRouteComponent(() => import("./pages/setup/Setup"), "Setup") });
const flow = createRoute({ ...at("/flows/$flow"), validateSearch: known("tab"), component: lazyRouteComponent(() => import("./pages/flow/Flow"), "Flow") });

export const router = createRouter({
  routeTree: root.addChildren([home, login, live, sessions, session, search, decisions, overview, setup, flow]),
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch,
  defaultPreload: "intent",
  defaultPreloadDelay: 80,
});

function stringifySearch(search: Record<string, unknown>): string {
  const given = Object.entries(search).filter(([, v]) => v !== undefined && v !== "");
  const text = new URLSearchParams(given.map(([k, v]) => [k, String(v)])).toString();
  return text && `?${text}`;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function Lost() {
  return (
    <Empty title="There is no such page">
      <p>The pages are on the left. A link to a moment looks like /sessions/SESSION?flow=FLOW.</p>
    </Empty>
  );
}

function Broken({ error, reset }: ErrorComponentProps) {
  return <Failed error={error} again={reset} />;
}
