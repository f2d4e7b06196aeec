import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { status } from "../../api/queries";
import { Places } from "../../parts/Places";
import { illness } from "../../parts/shell/Nav";
import { Icon } from "../../parts/Icon";
import { Signed } from "../../parts/Captured";
import { Agents } from "./Agents";
import { Came } from "./Came";
import { Health } from "./Health";
import { Readers } from "./Readers";
import { Record } from "./Record";

const route = getRouteApi("/setup");

const places = [
  { tab: "agents", name: "Agents" },
  { tab: "coverage", name: "Coverage" },
  { tab: "health", name: "Health" },
  { tab: "record", name: "The record" },
  { tab: "readers", name: "Who read" },
];

export function Setup() {
  const { tab = "agents" } = route.useSearch();
  const { data: s } = useQuery(status);
  const ill = s ? illness(s) : "";
  return (
    <>
      <Places to="/setup" label="Parts of Set-up" tab={tab} places={places} />
      {ill && (
        <p role="alert" className="mx-3 mt-3 flex items-start gap-2 rounded border border-block bg-panel px-3 py-2">
          <Icon name="warning" className="mt-0.5 text-block" /> <Signed text={ill} />
        </p>
      )}
      <div className="mx-auto max-w-[100rem] space-y-3 p-3">
        {tab === "coverage" ? <Came /> : tab === "health" ? <Health /> : tab === "record" ? <Record /> : tab === "readers" ? <Readers /> : <Agents />}
      </div>
    </>
  );
}
