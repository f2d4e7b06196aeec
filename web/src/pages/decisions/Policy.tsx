import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { PolicyTests } from "../../api/answers";
import { policyTests, policyText, reloadPolicy, status } from "../../api/queries";
import { Badge } from "../../parts/Badge";
import { Button } from "../../parts/Button";
import { Signed } from "../../parts/Captured";
import { Copy } from "../../parts/Copy";
import { exact, time } from "../../parts/format";
import { Icon } from "../../parts/Icon";
import { Failed, Waiting } from "../../parts/Note";
import { Fact, Facts, Section } from "../../parts/Section";
import { tokens, type Token } from "../../parts/yaml";
import { Try } from "./Try";

const modes: Record<string, string> = {
  observe: "observe: all passes, findings are on record",
  report: "report: all passes; what enforcing would have done is on record",
  enforce: "enforce: it does what the lines below say",
};

/** The policy in force, readable. line: to show. */
export function Policy({ line }: { line: string | undefined }) {
  const { data: s } = useQuery(status);
  const version = s?.policy.version ?? "";
  const { data: text, error } = useQuery(policyText(version));
  const tests = useQuery(policyTests(version));
  if (error && text === undefined) return <Failed error={error} />;
  if (!s || text === undefined) return <Waiting what="the policy" />;
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)_minmax(22rem,0.5fr)]">
      <Text text={text} line={Number(line) || undefined} />
      <div className="min-h-0 space-y-3 overflow-y-auto p-3" tabIndex={0} role="region" aria-label="About the policy">
        <Section title="In force" more={<Reload />}>
          <Facts>
            <Fact name="Mode">{modes[s.policy.mode] ?? "none: everything is blocked until a policy is loaded"}</Fact>
            <Fact name="Version">
              <span className="mono">{s.policy.version}</span> <Copy text={s.policy.version} what="the version" />
            </Fact>
            <Fact name="File">{s.policy.file ? <span className="mono">{s.policy.file}</span> : "none: the built-in policy"}</Fact>
            <Fact name="Loaded">
              <span title={exact(s.policy.loaded)}>{time(s.policy.loaded)}</span>
            </Fact>
          </Facts>
          {!s.policy.file && <p className="mt-2 text-muted">To have one of your own: gatehouse policy init &gt; policy.yaml, in the data folder; then reload.</p>}
          {s.policy.error && <NotInForce error={s.policy.error} />}
        </Section>
        <Section title="Its tests">{tests.isLoadingError ? <Failed error={tests.error} /> : tests.data ? <Tests tests={tests.data} /> : <Waiting what="tests" />}</Section>
        <Try />
      </div>
    </div>
  );
}

function Reload() {
  const client = useQueryClient();
  const done = useMutation({ mutationFn: reloadPolicy, onSettled: () => client.invalidateQueries({ queryKey: status.queryKey }) });
  return (
    <Button small disabled={done.isPending} title="Reads the file again. When something is wrong with it, this policy stays in force." onClick={() => done.mutate()}>
      {done.isSuccess ? "Reloaded" : "Reload the file"}
    </Button>
  );
}

function NotInForce({ error }: { error: string }) {
  return (
    <div role="alert" className="mt-3 rounded border border-block p-2">
      <p className="flex items-center gap-1.5 font-medium text-block">
        <Icon name="warning" /> The file as it stands now is not in force
      </p>
      <p className="mono my-1 [overflow-wrap:anywhere] whitespace-pre-wrap">
        <Signed text={error} />
      </p>
      <p className="text-muted">The policy on the left still holds. Mend the file and reload; gatehouse policy check FILE tells whether it is sound.</p>
    </div>
  );
}

function Tests({ tests: t }: { tests: PolicyTests }) {
  if (t.tests === 0) return <p className="text-muted">It has none. Under “tests:” a policy can say what is expected of it, case by case.</p>;
  if (t.failures.length === 0) {
    return (
      <p>
        <Badge tone="good">
          <Icon name="check" size={12} /> {t.tests} pass
        </Badge>{" "}
        <span className="text-muted">It does what its own tests say.</span>
      </p>
    );
  }
  return (
    <ul className="space-y-1">
      {t.failures.map((f) => (
        <li key={f.line}>
          <Badge tone="bad">fails</Badge> <span className="mono">{f.line.split(/[\\/]/).at(-1)}</span>: {f.want} was expected, it is {f.got}. <span className="text-muted">{f.why}</span>
        </li>
      ))}
    </ul>
  );
}

const looks: Record<Token["kind"], string> = { plain: "", comment: "text-muted italic", key: "text-accent", text: "text-info", word: "text-redact font-medium", mark: "text-muted" };

function Text({ text, line }: { text: string; line: number | undefined }) {
  const at = useRef<HTMLLIElement>(null);
  useEffect(() => {
    void at.current?.scrollIntoView({ block: "center" });
  }, [line, text]);
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <div className="min-h-0 overflow-auto border-r border-line bg-panel py-2" tabIndex={0} role="region" aria-label="The policy’s text">
      <ol className="mono min-w-max">
        {lines.map((l, i) => (
          <li key={i} ref={i + 1 === line ? at : undefined} aria-current={i + 1 === line ? "true" : undefined} className="flex aria-[current=true]:bg-accent-soft">
            <span className="w-12 shrink-0 pr-3 text-right text-muted select-none">{i + 1}</span>
            <span className="whitespace-pre">
              {tokens(l).map((t, n) => (
                <span key={n} className={looks[t.kind]}>
                  <Signed text={t.text} />
                </span>
              ))}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
