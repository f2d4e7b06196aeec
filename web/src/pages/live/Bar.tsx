// What stands above the list: whether it moves, and what waits.
import { Button } from "../../parts/Button";
import { num } from "../../parts/format";
import { Icon } from "../../parts/Icon";
import { useNow } from "../../parts/link";
import type { Feed } from "./feed";

export function Bar({ feed, paused, held, onPause, onResume }: { feed: Feed; paused: boolean; held: boolean; onPause(): void; onResume(): void }) {
  const { list } = feed;
  return (
    <div className="flex h-9 shrink-0 items-center gap-2 border-b border-line bg-panel px-2">
      <Button small on={paused} onClick={onPause} title={paused ? "The list stands still (space)" : "Let the list stand still (space)"}>
        <Icon name={paused ? "play" : "pause"} size={13} />
        {paused ? "Follow" : "Pause"}
      </Button>
      {held && list.waiting > 0 ? (
        <Button small strong onClick={onResume} title="Show them, and follow (f)">
          ↑ {num(list.waiting)}
          {list.stale ? "+" : ""} new
        </Button>
      ) : (
        <span className="truncate text-muted">{stateOf(feed, paused, held)}</span>
      )}
      <LinkNote feed={feed} />
    </div>
  );
}

function stateOf(feed: Feed, paused: boolean, held: boolean): string {
  if (paused) return "Paused: nothing new so far";
  if (held) return "Stands still while you look or point at a row; nothing new so far";
  return feed.link.state === "live" ? "Following: new flows come in at the top" : "";
}

/** That rows do not come, and what to do about it. */
function LinkNote({ feed: { link, problem, q } }: { feed: Feed }) {
  const now = useNow();
  if (problem !== undefined) return null;
  if (link.state === "lost") {
    return (
      <span role="alert" className="truncate text-block">
        The gateway does not answer; what is here may be old. Trying again in {Math.max(0, Math.ceil((link.until - now) / 1_000))} s. If it was stopped, start it: <span className="mono">gatehouse up</span>
      </span>
    );
  }
  if (link.state === "refused") return <span className="truncate text-ask">{q === "" ? link.problem.message : `Not followed live: ${link.problem.message}`}</span>;
  return null;
}
