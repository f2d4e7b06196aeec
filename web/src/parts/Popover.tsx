import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";

/** A small window beside an element. Escape and clicks elsewhere close it; the
 * focus goes into it, and back. */
export function Popover({ anchor, label, onClose, children }: { anchor: HTMLElement; label: string; onClose(): void; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<{ left: number; top: number }>();
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useLayoutEffect(() => {
    const place = () => setAt(beside(anchor.getBoundingClientRect(), ref.current?.getBoundingClientRect()));
    place();
    const size = new ResizeObserver(place);
    if (ref.current) size.observe(ref.current);
    // A page that still scrolls to what was asked for takes it along.
    const moved = (e: Event) => {
      if (e.target instanceof Node && ref.current?.contains(e.target)) return;
      if (anchor.isConnected) place();
      else close.current();
    };
    document.addEventListener("scroll", moved, true);
    return () => {
      size.disconnect();
      document.removeEventListener("scroll", moved, true);
    };
  }, [anchor]);
  useEffect(() => {
    ref.current?.focus({ preventScroll: true });
    const away = (e: Event) => e.target instanceof Node && !ref.current?.contains(e.target) && !anchor.contains(e.target) && close.current();
    // Also when what had the focus in it is gone.
    const escape = (e: KeyboardEvent) => {
      if (e.key !== "Escape" || document.activeElement !== document.body) return;
      close.current();
      anchor.focus({ preventScroll: true });
    };
    document.addEventListener("keydown", escape);
    document.addEventListener("pointerdown", away);
    document.addEventListener("wheel", away, { passive: true }); // who scrolls by hand is done with it
    return () => {
      document.removeEventListener("keydown", escape);
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("wheel", away);
    };
  }, [anchor]);
  const onKeyDown = (e: React.KeyboardEvent) => {
    e.stopPropagation(); // keys of the page do nothing here
    e.nativeEvent.stopImmediatePropagation();
    if (e.key !== "Escape") return;
    onClose();
    anchor.focus({ preventScroll: true });
  };
  return (
    <div
      ref={ref}
      role="dialog"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      style={{ left: at?.left ?? 0, top: at?.top ?? 0, visibility: at ? "visible" : "hidden" }}
      className="fixed z-30 w-[min(27rem,92vw)] rounded-lg border border-line-strong bg-panel p-3 shadow-xl outline-none"
    >
      {children}
    </div>
  );
}

const gap = 6;

function beside(anchor: DOMRect, own: DOMRect | undefined): { left: number; top: number } {
  const [width, height] = [own?.width ?? 0, own?.height ?? 0];
  const below = anchor.bottom + gap;
  const top = below + height <= window.innerHeight ? below : Math.max(gap, anchor.top - gap - height);
  return { left: Math.max(gap, Math.min(anchor.left, window.innerWidth - width - gap)), top };
}
