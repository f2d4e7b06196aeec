import type { ComponentProps, ReactNode } from "react";

interface Look {
  small?: boolean;
  strong?: boolean; // the one thing that a dialog is for
  quiet?: boolean; // no border until it is pointed at
  on?: boolean | undefined; // of a toggle
  children: ReactNode;
}

export function Button({ small, strong, quiet, on, className = "", ...rest }: Look & Omit<ComponentProps<"button">, "children">) {
  const size = small ? "h-6 px-2 text-sm" : "h-7 px-2.5";
  const look = strong
    ? "border-accent bg-accent text-on-accent hover:brightness-110"
    : on
      ? "border-accent bg-accent-soft text-ink"
      : quiet
        ? "border-transparent text-muted hover:bg-raised hover:text-ink"
        : "border-line-strong bg-panel text-ink hover:bg-raised";
  return (
    <button
      type="button"
      aria-pressed={on}
      className={`inline-flex shrink-0 items-center justify-center gap-1.5 rounded border whitespace-nowrap disabled:opacity-50 ${size} ${look} ${className}`}
      {...rest}
    />
  );
}

/** A button that shows a sign only; its name is read out and shown in the title. */
export function IconButton({ name, children, ...rest }: { name: string; on?: boolean | undefined; children: ReactNode } & Omit<ComponentProps<"button">, "name" | "children">) {
  return (
    <Button quiet aria-label={name} title={name} {...rest} className={`!px-1.5 ${rest.className ?? ""}`}>
      {children}
    </Button>
  );
}
