// A session that goes on while it is read. What is new is told, not loaded: each
// reading is on record, and nobody's place is moved.
import { useEffect, useState } from "react";
import { listen } from "../../api/events";
import type { Row, Session } from "../../api/types";
import type { Talk } from "../../parts/talk/model";
import { only } from "./only";

/** How many flows began, or ended, since the conversation was read. */
export function useNewer(about: Session, talk: Talk): number {
  const [rows, setRows] = useState<ReadonlyMap<string, Row>>(new Map());
  useEffect(
    () =>
      listen(only(about.session, about.principal), {
        ready: () => undefined,
        rows: (list) => setRows((old) => new Map([...old, ...list.map((r) => [r.id, r] as const)])),
        gone: () => undefined,
        link: () => undefined,
      }),
    [about.session, about.principal],
  );
  return [...rows.values()].filter((r) => {
    const shown = talk.turns.get(r.id);
    return shown ? shown.state === "open" && r.state !== "open" : true;
  }).length;
}
