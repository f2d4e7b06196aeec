import { Link } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { status } from "../../api/queries";
import type { Status } from "../../api/answers";
import { Icon, type IconName } from "../Icon";
import { useKeys } from "../keys";
import { useRouter } from "@tanstack/react-router";

export const places = [
  { to: "/live", name: "Live", icon: "live", key: "l", says: "flows as they happen" },
  { to: "/sessions", name: "Sessions", icon: "sessions", key: "s", says: "agent runs, turn by turn" },
  { to: "/search", name: "Search", icon: "search", key: "f", says: "text in all that was said" },
  { to: "/decisions", name: "Decisions", icon: "decisions", key: "d", says: "what was blocked, redacted, or would have been" },
  { to: "/overview", name: "Overview", icon: "overview", key: "o", says: "calls, tokens, spend, findings" },
  { to: "/setup", name: "Set-up", icon: "setup", key: "u", says: "agents, health, the record" },
] as const satisfies readonly { to: string; name: string; icon: IconName; key: string; says: string }[];

export function Nav() {
  const router = useRouter();
  useKeys("Go to", places.map((p) => ({ keys: `g ${p.key}`, does: p.name, run: () => void router.navigate({ to: p.to }) })));
  return (
    <nav aria-label="Pages" className="row-span-2 flex flex-col border-r border-line bg-panel px-2 py-2 lg:w-40">
      <div className="mb-3 flex h-7 items-center gap-2 px-2 font-semibold">
        <img src="/favicon.svg" alt="" width="18" height="18" />
        <span className="max-lg:sr-only">Gatehouse</span>
      </div>
      <ul className="space-y-0.5">
        {places.map((p) => (
          <li key={p.to}>
            <Link
              to={p.to}
              title={p.says}
              className="flex h-8 items-center gap-2.5 rounded px-2 text-muted hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-ink"
              activeOptions={{ exact: false, includeSearch: false }}
            >
              <Icon name={p.icon} size={16} />
              <span className="max-lg:sr-only">{p.name}</span>
              {p.to === "/setup" && <Health />}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Health is a dot beside Set-up: absent while all is well. */
function Health() {
  const { data } = useQuery(status);
  const ill = data && illness(data);
  if (!ill) return null;
  return (
    <span className="ml-auto text-block" title={ill} role="img" aria-label={`needs attention: ${ill}`}>
      <Icon name="warning" size={14} />
    </span>
  );
}

/** What is wrong, in one sentence; "" when nothing is. */
export function illness(s: Status): string {
  if (!s.ready) return s.why ?? "the gateway takes no calls";
  if (s.ledger.fault) return `the ledger can't be written: ${s.ledger.fault}`;
  if (s.ledger.full) return "the ledger's disk is nearly full";
  if (s.policy.error) return "the policy file as it stands is not in force";
  if (s.rules.error) return "the rules files as they stand are not in force";
  return "";
}
