import type { ReactNode } from "react";
import { Icon } from "../Icon";
import { foldKey, useDesk, useOf, type Fold as Kind } from "./desk";

interface Props {
  flow: string;
  what: string | number; // tells folds of a flow apart
  kind: Kind;
  head: ReactNode; // within the button
  beside?: ReactNode; // behind it
  boxed?: boolean;
  children: () => ReactNode; // made when it is open
}

/** Something whose head is shown and whose content opens below it. */
export function Fold({ flow, what, kind, head, beside, boxed = false, children }: Props) {
  const desk = useDesk();
  const key = foldKey(flow, what, kind);
  const open = useOf(desk, (d) => d.open(key, flow, kind));
  return (
    <div className={boxed ? "overflow-hidden rounded border border-line bg-panel" : ""}>
      <div className={`flex min-h-6 items-center gap-2 ${boxed ? "pr-1.5" : ""}`}>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => desk.fold(key, !open)}
          className={`group/fold flex min-w-0 flex-1 items-center gap-1.5 rounded text-left hover:bg-raised ${boxed ? "px-1.5 py-1" : "py-0.5 pr-1"}`}
        >
          <Icon name="chevron" size={12} className={`text-muted ${open ? "rotate-90" : ""}`} />
          {head}
        </button>
        {beside}
      </div>
      {open && <div className={boxed ? "border-t border-line px-3 py-2" : "pt-1 pl-4.5"}>{children()}</div>}
    </div>
  );
}
