import { useEffect, useRef, type ReactNode } from "react";
import { IconButton } from "./Button";
import { Icon } from "./Icon";

/** A native modal dialog: it keeps the focus, and Escape closes it. A form's first
 * field is at hand: what has autoFocus can't be focused while the dialog is closed. */
export function Dialog({ title, onClose, children, wide = false, bare = false }: { title: string; onClose(): void; children: ReactNode; wide?: boolean | "very"; bare?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>("input,select,textarea")?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={title}
      onClose={(e) => e.target === ref.current && onClose()}
      onMouseDown={(e) => e.target === ref.current && onClose()}
      className={`max-h-[85dvh] rounded-lg border border-line-strong bg-panel p-0 shadow-xl ${wide === "very" ? "w-[min(76rem,94vw)]" : wide ? "w-[min(46rem,94vw)]" : "w-[min(34rem,94vw)]"}`}
    >
      {!bare && (
        <div className="flex items-center justify-between border-b border-line py-1.5 pr-1.5 pl-4">
          <h2 className="text-base font-semibold">{title}</h2>
          <IconButton name="Close" onClick={onClose}>
            <Icon name="close" />
          </IconButton>
        </div>
      )}
      <div className={bare ? "" : "px-4 py-3"}>{children}</div>
    </dialog>
  );
}
