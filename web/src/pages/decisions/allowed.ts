import type { Allowance } from "../../api/answers";

/** It switches its finding off now. */
export function current(a: Allowance, now = Date.now()): boolean {
  return !a.revoked && new Date(a.until).getTime() > now;
}

/** The one that holds for a principal's finding. */
export function allowanceOf(all: Allowance[] | undefined, finding: string, principal?: string): Allowance | undefined {
  return all?.find((a) => a.finding === finding && current(a) && (principal === undefined || a.scope === "*" || a.scope === principal));
}
