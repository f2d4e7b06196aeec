import { Link } from "@tanstack/react-router";
import type { Group } from "../../api/answers";
import { Button } from "../../parts/Button";
import { Line } from "../../parts/Captured";
import { csv, saveText } from "../../parts/csv";
import { num } from "../../parts/format";
import { Icon } from "../../parts/Icon";
import { Section } from "../../parts/Section";
import { both, term } from "../../parts/terms";
import { within, type Period } from "./period";
import { fileName } from "./sums";

const says: Record<string, string> = {
  secret: "credentials: keys, tokens, passwords",
  registered: "values that you registered",
  canary: "canaries, which are never part of real work",
  pii: "personal data",
  injection: "texts that instruct the model where nobody should",
  action: "what a model proposed to do",
  taint: "words of others that went on to something else",
  coverage: "calls that came another way, or go where the agent never went",
  unreadable: "what detectors could not read",
  provider: "what a request makes the provider do by itself",
  remote: "what detectors elsewhere saw",
};

/** In how many flows each family of detectors found something. */
export function Families({ q, period, total }: { q: string; period: Period; total: Group }) {
  const families = Object.entries(total.findings).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const most = Math.max(1, ...families.map(([, n]) => n));
  return (
    <Section
      title="Findings by family"
      says="In how many calls each family of detectors found something."
      more={
        families.length > 0 && (
          <Button small onClick={() => saveText(fileName("family"), csv([["family", "calls"], ...families]), "text/csv;charset=utf-8")}>
            <Icon name="download" size={13} /> CSV
          </Button>
        )
      }
    >
      {families.length === 0 && <p className="text-muted">Nothing was found. Set-up says which rules are in force.</p>}
      <ul className="grid grid-cols-[max-content_minmax(6rem,1fr)_max-content] items-center gap-x-4 gap-y-1.5">
        {families.map(([family, n]) => (
          <li key={family} className="contents">
            <span>
              <Link to="/live" search={{ q: both(within(q, period), /^\w+$/.test(family) ? `finding:${family}.*` : term("finding", family)) }} className="text-accent hover:underline">
                <Line text={family} />
              </Link>
              <span className="ml-3 text-muted max-lg:hidden">{says[family]}</span>
            </span>
            <svg height="8" width="100%" preserveAspectRatio="none" viewBox={`0 0 ${most} 1`} aria-hidden="true">
              <rect width={n} height="1" className="fill-series-1" />
            </svg>
            <span className="text-right">{num(n)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
