// What stands behind the oldest row.
import { Link } from "@tanstack/react-router";
import { Button } from "../../parts/Button";
import { num } from "../../parts/format";
import type { Feed } from "./feed";
import { most } from "./list";

export function Foot({ feed }: { feed: Feed }) {
  const { list, older, full } = feed;
  if (full) {
    const oldest = list.rows[0];
    return (
      <>
        This page keeps {num(most)} flows.
        {oldest && (
          <Link to="/live" search={{ q: until(feed.q, oldest.started) }} className="text-accent underline">
            Show those before
          </Link>
        )}
      </>
    );
  }
  if (older === "failed") {
    return (
      <>
        The older ones could not be read.
        <Button small onClick={() => void feed.before(true)}>
          Try again
        </Button>
      </>
    );
  }
  if (list.more) return list.letGo && older === "" ? "Older ones were let go; scrolling reads them again." : "Reading older ones…";
  return `These are all: ${num(list.count)} ${list.count === 1 ? "flow" : "flows"}.`;
}

/** The filter, of what is no newer than a time. */
function until(q: string, started: string): string {
  const rest = q.replace(/(^|\s)until:\S+/g, "").trim();
  return `${/\sOR\s/.test(rest) ? `(${rest})` : rest} until:${started.replace(/\.\d+Z$/, "Z")}`.trim();
}
