// An empty list says what to do next.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { get } from "../../api/client";
import { Button } from "../../parts/Button";
import { Copy } from "../../parts/Copy";
import { Empty } from "../../parts/Note";

export function Nothing({ q, onClear }: { q: string; onClear(): void }) {
  if (q === "") return <First />;
  return (
    <Empty title="No flow matches this filter">
      <p>Flows that match show up here as soon as they do.</p>
      {/:[^\s*]+(\s|$)/.test(q) && <p>A name stands for itself alone: with a * behind it, for all that begin so, as in model:claude*.</p>}
      <p>
        <Button onClick={onClear}>Clear the filter</Button>
      </p>
    </Empty>
  );
}

/** Nothing was ever recorded. */
function First() {
  const { data } = useQuery({ queryKey: ["first-command"], queryFn: ({ signal }) => get<{ agents: { ways: { text: string }[] }[] }>("/setup", {}, signal) });
  const command = data?.agents[0]?.ways[0]?.text ?? "gatehouse run -- claude";
  return (
    <Empty title="No flows yet">
      <p>Each call that an agent makes to its model shows up here, as it happens. Start an agent through the gateway:</p>
      <p className="mono mx-auto flex w-fit max-w-full items-center gap-2 rounded border border-line bg-panel px-3 py-2 text-left text-ink">
        <span className="[overflow-wrap:anywhere]">{command}</span>
        <Copy text={command} what="the command" />
      </p>
      <p>
        Codex, Gemini and others, or without a command of ours:{" "}
        <Link to="/setup" className="text-accent underline">
          Set-up
        </Link>{" "}
        has the line for each.
      </p>
    </Empty>
  );
}
