import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { allowances } from "../../api/queries";
import { Places } from "../../parts/Places";
import { current } from "./allowed";
import { Allowed } from "./Allowed";
import { Found } from "./Found";
import { List } from "./List";
import { Policy } from "./Policy";
import { Rules } from "./Rules";
import { useDecided } from "./decided";

const route = getRouteApi("/decisions");

export function Decisions() {
  const { q = "", tab = "list", flow, line } = route.useSearch();
  const navigate = route.useNavigate();
  const decided = useDecided(q, tab !== "allowed" && tab !== "policy");
  const allowed = useQuery(allowances);
  const places = [
    { tab: "list", name: "Decisions" },
    { tab: "rules", name: "By rule" },
    { tab: "found", name: "By finding" },
    { tab: "allowed", name: "Allowed", count: allowed.data?.filter((a) => current(a)).length },
    { tab: "policy", name: "Policy in force" },
  ];
  return (
    <div className="flex h-full min-h-0 flex-col">
      <Places to="/decisions" label="Parts of Decisions" tab={tab} places={places} keep={{ q: q || undefined }} />
      {tab === "rules" ? (
        <Rules decided={decided} q={q} />
      ) : tab === "found" ? (
        <Found decided={decided} />
      ) : tab === "allowed" ? (
        <Allowed />
      ) : tab === "policy" ? (
        <Policy line={line} />
      ) : (
        <List decided={decided} q={q} at={flow} onAt={(id) => void navigate({ search: (old) => ({ ...old, flow: id }), replace: true })} />
      )}
    </div>
  );
}
