import { useState } from "react";
import { save } from "../../api/client";
import type { Session } from "../../api/types";
import { usualWhy, useWhy } from "../../api/why";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Failed } from "../../parts/Note";
import { only } from "./only";

const formats = [
  { name: "jsonl", title: "JSON lines", says: "one flow a line, for programs" },
  { name: "har", title: "HAR", says: "for browsers' developer tools and proxies" },
  { name: "html", title: "A page", says: "one file to read, which any browser opens, also offline" },
] as const;

/** Saves the session as a file. */
export function Export({ about, onClose }: { about: Session; onClose(): void }) {
  const usual = useWhy();
  const [format, setFormat] = useState<(typeof formats)[number]["name"]>("jsonl");
  const [content, setContent] = useState(true);
  const [mask, setMask] = useState(true);
  const [why, setWhy] = useState(usual === usualWhy ? "" : usual);
  const [state, setState] = useState<{ busy?: boolean; error?: unknown }>({});
  const run = async () => {
    setState({ busy: true });
    const q = only(about.session, about.principal);
    try {
      const name = `${about.session}.${format}`;
      const reason = why.trim() || usualWhy;
      const redact = mask ? "values" : "none";
      if (format === "html") await save(name, `/sessions/${encodeURIComponent(about.session)}/export.html`, { principal: about.principal, why: reason, redact });
      else await save(name, "/export", { q, format, why: reason, redact, ...(content ? { content: 1 } : {}) });
      onClose();
    } catch (error) {
      setState({ error });
    }
  };
  return (
    <Dialog title="Export this session" onClose={onClose}>
      <form className="space-y-3" onSubmit={(e) => (e.preventDefault(), void run())}>
        <fieldset>
          <legend className="mb-1 text-muted">Format</legend>
          {formats.map((f) => (
            <label key={f.name} className="flex items-center gap-2">
              <input type="radio" name="format" checked={format === f.name} onChange={() => setFormat(f.name)} />
              {f.title} <span className="text-muted">{f.says}</span>
            </label>
          ))}
        </fieldset>
        <label className="flex items-center gap-2">
          <input type="checkbox" checked={content || format === "html"} disabled={format === "html"} onChange={(e) => setContent(e.target.checked)} />
          with what was said
        </label>
        <label className="flex items-center gap-2">
          <input type="checkbox" checked={mask} disabled={!content && format !== "html"} onChange={(e) => setMask(e.target.checked)} />
          without the values that rules found: secrets, personal data
        </label>
        <label className="block">
          Reason, which is put on record
          <input value={why} maxLength={160} placeholder={usualWhy} onChange={(e) => setWhy(e.target.value)} className="mt-1 h-8 w-full rounded border border-line-strong bg-ground px-2" />
        </label>
        {state.error !== undefined && <Failed error={state.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button strong type="submit" disabled={state.busy ?? false}>
            {state.busy ? "Writing…" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
