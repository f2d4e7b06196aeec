import type { Hit, Fragment, Found, Group, Overview, JournalEntry as Entry, SavedView as View, Allowance, Status, Kept, Setup, SetupAgent, Coverage, Counts, Report, PolicyTests, Explanation, RemoteDetector, Growth } from "./made";
// What the routes beside flows and conversations answer.

export type By = "agent" | "model" | "session" | "day" | "principal" | "provider" | "entrance";

export interface CoverageRow extends Counts {
  principal: string;
  session?: string;
  first: string;
  last: string;
  nearby: number;
  shared: number;
}

export interface AccessKey {
  name: string;
  created: string;
  revoked?: string;
}

/** A line of a verification: some of the first, one of the second. */
export type Verifying = { done: number; total: number; report?: undefined } | { report: Report };

export type { Hit, Fragment, Found, Group, Overview, Entry, View, Allowance, Status, Kept, Setup, SetupAgent, Coverage, Counts, Report, PolicyTests, Explanation, RemoteDetector, Growth };
