import { Link } from "@tanstack/react-router";
import type { Hit } from "../../api/answers";
import { Line, Signed } from "../../parts/Captured";
import { exact, num, shortSession, time } from "../../parts/format";
import { Icon, type IconName } from "../../parts/Icon";
import { Who } from "../../parts/Who";

export function HitView({ hit: h, on }: { hit: Hit; on: boolean }) {
  const said = saidBy(h);
  return (
    <li aria-current={on || undefined} className={`rounded border bg-panel ${on ? "border-accent" : "border-line"}`}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5 px-3 pt-2 text-sm text-muted">
        <span className="inline-flex items-center gap-1.5 font-medium text-ink">
          <Icon name={said.icon} size={13} className="text-muted" />
          {said.text}
        </span>
        <time title={exact(h.started)}>{time(h.started)}</time>
        <span>
          <Line text={shortSession(h.session)} />
          {h.turn ? `, turn ${h.turn}` : ""}
        </span>
        <Who principal={h.principal} />
        {h.resent > 0 && <span title="later requests of the session carry it again, as they carry all that was said before">sent again {num(h.resent)}×</span>}
        <Link to="/sessions/$session" params={{ session: h.session }} search={{ principal: h.principal, flow: h.flow }} className="ml-auto text-accent underline">
          {h.turn ? "Open the turn" : "Open the session"}
        </Link>
      </div>
      <p dir="auto" className="mono px-3 pt-1 pb-2 [overflow-wrap:anywhere] whitespace-pre-wrap [unicode-bidi:plaintext]">
        {h.snippet.map((f, i) =>
          f.match ? (
            <mark key={i} className="rounded-xs bg-[color-mix(in_oklab,var(--ask)_30%,transparent)] text-ink">
              <Signed text={f.text} />
            </mark>
          ) : (
            <Signed key={i} text={f.text} />
          ),
        )}
      </p>
    </li>
  );
}

/** Whose words they are. */
function saidBy({ kind, role }: Pick<Hit, "kind" | "role">): { text: string; icon: IconName } {
  switch (kind) {
    case "tool_call":
      return { text: "Tool call", icon: "tool" };
    case "tool_result":
      return { text: "Tool result", icon: "tool" };
    case "tool_definition":
      return { text: "Tool definition", icon: "tool" };
    case "thinking":
      return { text: "Thinking", icon: "sessions" };
    case "system":
      return { text: "System prompt", icon: "setup" };
  }
  if (role === "system" || role === "developer") return { text: "System prompt", icon: "setup" };
  if (role === "assistant" || role === "model") return { text: "Model", icon: "sessions" };
  return { text: role === "user" ? "User" : "Text", icon: "sessions" };
}
