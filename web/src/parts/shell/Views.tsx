// Filters with a name, for all who use this gateway.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { View } from "../../api/answers";
import { check, deleteView, saveView, views as query } from "../../api/queries";
import { Badge } from "../Badge";
import { Button, IconButton } from "../Button";
import { Signed } from "../Captured";
import { Dialog } from "../Dialog";
import { Icon } from "../Icon";
import { useKeys } from "../keys";
import { Failed, Waiting } from "../Note";
import { places } from "./Nav";

export function Views({ page, q, onChoose }: { page: string; q: string; onChoose(v: View): void }) {
  const [open, setOpen] = useState(false);
  useKeys("Everywhere", [{ keys: "v", does: "saved views", run: () => setOpen(true) }]);
  return (
    <>
      <IconButton name="Saved views (v)" onClick={() => setOpen(true)}>
        <Icon name="bookmark" />
      </IconButton>
      {open && <Menu page={page} q={q} onClose={() => setOpen(false)} onChoose={(v) => (setOpen(false), onChoose(v))} />}
    </>
  );
}

function Menu({ page, q, onClose, onChoose }: { page: string; q: string; onClose(): void; onChoose(v: View): void }) {
  const { data, error } = useQuery(query);
  const checked = useQuery({ ...check(q), enabled: q !== "" });
  const [problem, setProblem] = useState<unknown>();
  const client = useQueryClient();
  const change = async (by: () => Promise<unknown>) => {
    try {
      await by();
      setProblem(undefined);
      await client.invalidateQueries({ queryKey: query.queryKey });
    } catch (e) {
      setProblem(e);
    }
  };
  return (
    <Dialog title="Saved views" onClose={onClose}>
      {data ? <Listed views={data.views} onChoose={onChoose} onDelete={(name) => void change(() => deleteView(name))} /> : error ? <Failed error={error} /> : <Waiting what="saved views" />}
      {problem !== undefined && <Failed error={problem} />}
      {q === "" ? (
        <p className="border-t border-line pt-3 text-muted">To save a view, type a filter first: it is kept with its page, for all who use this gateway.</p>
      ) : checked.error ? (
        <p className="border-t border-line pt-3 text-muted">
          This filter can’t be read, so it can’t be saved: <Signed text={checked.error.message} flat />
        </p>
      ) : checked.data === undefined ? (
        <Waiting what="the filter" />
      ) : (
        <Save page={page} q={q} taken={data?.views.map((v) => v.name) ?? []} onSave={(name) => void change(() => saveView({ name, page, q }))} />
      )}
    </Dialog>
  );
}

function Listed({ views, onChoose, onDelete }: { views: View[]; onChoose(v: View): void; onDelete(name: string): void }) {
  if (views.length === 0) return <p className="pb-3 text-muted">There are none yet.</p>;
  return (
    <ul className="mb-3 max-h-80 overflow-y-auto">
      {views.map((v) => (
        <li key={v.name} className="flex items-center rounded hover:bg-raised">
          <button type="button" onClick={() => onChoose(v)} className="min-w-0 flex-1 px-2 py-1.5 text-left">
            <span className="flex items-center gap-2">
              <span className="truncate font-medium"><Signed text={v.name} flat /></span>
              <Badge>{places.find((p) => p.to === v.page)?.name ?? "Live"}</Badge>
            </span>
            <span className="mono block truncate text-muted"><Signed text={v.q} flat /></span>
          </button>
          <IconButton name={`Delete ${v.name}`} onClick={() => onDelete(v.name)}>
            <Icon name="close" size={13} />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}

function Save({ page, q, taken, onSave }: { page: string; q: string; taken: string[]; onSave(name: string): void }) {
  const [name, setName] = useState("");
  const there = taken.includes(name.trim());
  return (
    <form className="border-t border-line pt-3" onSubmit={(e) => (e.preventDefault(), name.trim() !== "" && (onSave(name.trim()), setName("")))}>
      <p className="mb-2 [overflow-wrap:anywhere] text-muted">
        Save <span className="mono text-ink"><Signed text={q} flat /></span> of {places.find((p) => p.to === page)?.name} as
      </p>
      <div className="flex gap-2">
        <input autoFocus aria-label="Name of the view" value={name} maxLength={60} onChange={(e) => setName(e.target.value)} placeholder="Expensive calls" className="h-7 min-w-0 flex-1 rounded border border-line-strong bg-ground px-2" />
        <Button strong type="submit" disabled={name.trim() === ""}>
          {there ? "Replace" : "Save"}
        </Button>
      </div>
    </form>
  );
}
