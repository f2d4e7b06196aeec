import { Kbd } from "../Badge";
import { Dialog } from "../Dialog";
import { useKnownKeys } from "../keys";

const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function Keys({ onClose }: { onClose(): void }) {
  const groups = Map.groupBy(useKnownKeys(), (s) => s.group);
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="columns-2 gap-6">
        {[...groups].map(([group, scopes]) => (
          <section key={group} className="mb-4 break-inside-avoid">
            <h3 className="mb-1 text-sm text-muted">{group}</h3>
            <dl className="grid grid-cols-[4.5rem_1fr] items-baseline gap-y-1">
              {scopes.flatMap((s) => s.keys).map((k) => (
                <div key={k.keys} className="contents">
                  <dt className="flex gap-1">
                    {spoken(k.keys).map((part) => (
                      <Kbd key={part}>{part}</Kbd>
                    ))}
                  </dt>
                  <dd>{k.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function spoken(keys: string): string[] {
  return keys.split(/[ +]/).map((k) => ({ mod: mac ? "⌘" : "Ctrl", Escape: "Esc", Enter: "↵" })[k] ?? k);
}
