import { Button } from "./Button";
import { Line } from "./Captured";
import { masked, showNames, useNames } from "./names";

/** A principal, masked unless names are shown. */
export function Who({ principal, className = "" }: { principal: string; className?: string }) {
  const shown = useNames();
  return <Line text={shown ? principal : masked(principal)} className={className} />;
}

export function NamesSwitch() {
  const shown = useNames();
  return (
    <Button small quiet on={shown} onClick={() => showNames(!shown)} title={shown ? "Names of people and keys are shown" : "Names of people and keys are masked: initials and a mark"}>
      Show names
    </Button>
  );
}
