import { IconButton } from "./Button";
import { Line } from "./Captured";
import { Icon } from "./Icon";
import { masked, showNames, useNames } from "./names";

/** A principal, masked unless names are shown. */
export function Who({ principal, className = "" }: { principal: string; className?: string }) {
  const shown = useNames();
  return <Line text={shown ? principal : masked(principal)} className={className} />;
}

/** The one switch, for every page: it stands in the bar at the top. */
export function NamesSwitch() {
  const shown = useNames();
  return (
    <IconButton name="Show names" on={shown} onClick={() => showNames(!shown)} title={shown ? "Names of people and keys are shown: mask them" : "Names of people and keys are masked, as initials and a mark: show them"}>
      <Icon name={shown ? "eye" : "eyeOff"} />
    </IconButton>
  );
}
