import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { explain } from "../../api/queries";
import { Button } from "../../parts/Button";
import { Signed } from "../../parts/Captured";
import { Failed } from "../../parts/Note";
import { Section } from "../../parts/Section";

const box = "mt-1 h-7 w-full rounded border border-line-strong bg-ground px-2";
const severities = ["low", "medium", "high", "critical"];
const channels = ["", "system", "user", "assistant", "tool_definition", "tool_call", "tool_result", "file", "envelope", "provider"];

/** What the policy in force would do about a finding that is made up. */
export function Try() {
  const [rule, setRule] = useState("secret.github-token");
  const [channel, setChannel] = useState("tool_result");
  const [severity, setSeverity] = useState("high");
  const [confidence, setConfidence] = useState("95");
  const [asked, setAsked] = useState<Record<string, string>>();
  const id = useId();
  const { data: e, error } = useQuery({ ...explain(asked ?? {}), enabled: asked !== undefined });
  const line = e && /:(\d+)$/.exec(e.line)?.[1];
  return (
    <Section title="Try a case" says="What would it do about such a finding?">
      <form className="grid grid-cols-2 gap-2" onSubmit={(ev) => (ev.preventDefault(), setAsked({ rule: rule.trim(), channel, severity, confidence }))}>
        <label>
          Rule
          <input required value={rule} onChange={(ev) => setRule(ev.target.value)} className={`${box} mono`} />
        </label>
        <label>
          Stands in
          <select value={channel} onChange={(ev) => setChannel(ev.target.value)} className={box}>
            {channels.map((c) => (
              <option key={c} value={c}>
                {c || "anywhere"}
              </option>
            ))}
          </select>
        </label>
        <label>
          Severity
          <select value={severity} onChange={(ev) => setSeverity(ev.target.value)} className={box}>
            {severities.map((s) => (
              <option key={s}>{s}</option>
            ))}
          </select>
        </label>
        <label>
          Sure, percent
          <input type="number" min="1" max="100" required value={confidence} onChange={(ev) => setConfidence(ev.target.value)} className={box} />
        </label>
        <Button type="submit" className="col-span-2" aria-describedby={id}>
          Ask the policy
        </Button>
      </form>
      <div id={id} aria-live="polite" className="mt-2">
        {error && <Failed error={error} />}
        {e && asked && (
          <p>
            <b className="font-semibold">{e.action}</b>: <Signed text={e.why} />.{" "}
            <Link to="/decisions" search={{ tab: "policy", ...(line ? { line } : {}) }} className="mono text-accent hover:underline">
              {e.line.split(/[\\/]/).at(-1)}
            </Link>
          </p>
        )}
      </div>
    </Section>
  );
}
