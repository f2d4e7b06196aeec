import { useId } from "react";

/** One of a few: a row of buttons that behave as radio buttons. */
export function Choice<V extends string>({ label, value, options, onChange, shown = false }: { label: string; value: V; options: readonly { value: V; text: string; title?: string }[]; onChange(v: V): void; shown?: boolean }) {
  const name = useId();
  return (
    <fieldset className="flex items-center gap-2">
      <legend className={shown ? "float-left mr-2 text-muted" : "sr-only"}>{label}</legend>
      <div className="flex rounded border border-line-strong">
        {options.map((o) => (
          <label
            key={o.value}
            title={o.title}
            className="flex h-6.5 cursor-pointer items-center border-r border-line-strong px-2.5 text-muted first:rounded-l last:rounded-r last:border-r-0 hover:text-ink has-checked:bg-accent-soft has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input type="radio" name={name} className="sr-only" checked={o.value === value} onChange={() => onChange(o.value)} />
            {o.text}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
