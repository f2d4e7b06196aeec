// The exact bytes of a flow, and its headers.
import { useMemo, useState, type ReactNode } from "react";
import type { Readable } from "../../api/reader";
import type { Flow, Header } from "../../api/types";
import { usualWhy, useWhy } from "../../api/why";
import { Button } from "../Button";
import { Captured, Signed } from "../Captured";
import { Failed } from "../Note";
import { bytes, num } from "../format";
import { edits, type Edit } from "./changes";
import { useReader } from "./desk";
import { cutAt, hexLines } from "./hex";

const tabs = ["headers", "request", "forwarded", "response", "delivered", "replaced", "curl"] as const;
export type Tab = (typeof tabs)[number];

export const isTab = (name: string | undefined): name is Tab => tabs.some((t) => t === name);

const names: Record<Tab, string> = { headers: "Headers", request: "Request", forwarded: "Forwarded", response: "Response", delivered: "Delivered", replaced: "What was replaced", curl: "curl" };

const says: Record<Tab, string> = {
  headers: "Headers of the request and of the answer. Credentials are not kept.",
  request: "What the agent sent.",
  forwarded: "What the provider got: what the agent sent, less what was replaced.",
  response: "What the provider sent.",
  delivered: "What the agent got: what the provider sent, with values put back or held.",
  curl: "A command that sends the same request again, through the gateway. Values that rules found are not in it.",
  replaced: "Where what the provider got differs from what the agent sent.",
};

export function Bytes({ flow, record, tab, onTab }: { flow: string; record: Flow | undefined; tab: Tab; onTab(tab: Tab): void }) {
  const [read, setRead] = useState<Partial<Record<Readable, Uint8Array>>>({});
  const got = (what: Readable) => (data: Uint8Array) => setRead((old) => ({ ...old, [what]: data }));
  const onKeyDown = (e: React.KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]!;
    onTab(next);
    document.getElementById(`bytes-${next}`)?.focus();
  };
  return (
    <div>
      <div role="tablist" aria-label="Bytes and headers" className="flex flex-wrap gap-1 border-b border-line" onKeyDown={onKeyDown}>
        {tabs.map((name) => (
          <button
            key={name}
            id={`bytes-${name}`}
            type="button"
            role="tab"
            aria-selected={name === tab}
            aria-controls="bytes-panel"
            tabIndex={name === tab ? 0 : -1}
            onClick={() => onTab(name)}
            className="-mb-px border-b-2 border-transparent px-2 py-1 text-muted hover:text-ink aria-selected:border-accent aria-selected:text-ink"
          >
            {names[name]}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="bytes-panel" aria-labelledby={`bytes-${tab}`} className="pt-2">
        <p className="mb-2 text-muted">{says[tab]}</p>
        {tab === "headers" ? (
          <Headers record={record} />
        ) : tab === "replaced" ? (
          <Gate flow={flow} whats={["request", "forwarded"]} record={record} read={read} got={got}>
            {(data) => <Replaced was={data.request!} is={data.forwarded!} />}
          </Gate>
        ) : (
          <Gate key={tab} flow={flow} whats={[tab]} record={record} read={read} got={got}>
            {(data) => <Content flow={flow} what={tab} data={data[tab]!} />}
          </Gate>
        )}
      </div>
    </div>
  );
}

function sizeOf(record: Flow | undefined, what: Readable): number | undefined {
  if (!record) return undefined;
  if (what === "request") return record.intent.request_bytes;
  if (what === "forwarded") return record.intent.forwarded_bytes;
  if (what === "curl") return undefined;
  return record.outcome?.response_bytes;
}

interface GateProps {
  flow: string;
  whats: Readable[];
  record: Flow | undefined;
  read: Partial<Record<Readable, Uint8Array>>;
  got(what: Readable): (data: Uint8Array) => void;
  children(data: Partial<Record<Readable, Uint8Array>>): ReactNode;
}

/** Bytes hold what is masked elsewhere: so they are asked for, with a reason. */
function Gate({ flow, whats, record, read, got, children }: GateProps) {
  const reader = useReader();
  const usual = useWhy();
  const [why, setWhy] = useState(usual === usualWhy ? "" : usual);
  const [state, setState] = useState<{ busy?: boolean; error?: unknown }>({});
  const missing = whats.filter((w) => !read[w]);
  if (missing.length === 0) return children(read);
  const ask = async () => {
    setState({ busy: true });
    try {
      for (const what of missing) got(what)(await reader.bytes(flow, what, why.trim() || usualWhy));
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  const size = missing.reduce((sum, w) => sum + (sizeOf(record, w) ?? 0), 0);
  return (
    <form className="max-w-xl rounded border border-line p-3" onSubmit={(e) => (e.preventDefault(), void ask())}>
      <p>
        {whats[0] === "curl" ? "The command holds all of the request." : "These are the exact bytes. Values that are masked in the conversation stand in them."} That you read them is put on record, with your reason:
      </p>
      <input
        aria-label="Reason"
        value={why}
        maxLength={160}
        placeholder={usualWhy}
        onChange={(e) => setWhy(e.target.value)}
        className="mt-2 h-7 w-full rounded border border-line-strong bg-ground px-2"
      />
      <div className="mt-2 flex justify-end">
        <Button strong small type="submit" disabled={state.busy ?? false}>
          {state.busy ? "Reading…" : `Read${size > 0 ? ` ${bytes(size)}` : ""}`}
        </Button>
      </div>
      {state.error !== undefined && <Failed error={state.error} />}
    </form>
  );
}

const step = 65_536;

function Content({ flow, what, data }: { flow: string; what: Readable; data: Uint8Array }) {
  const reader = useReader();
  const why = useWhy();
  const [hex, setHex] = useState(false);
  const [from, setFrom] = useState(0);
  const end = hex ? Math.min(data.length, from + step / 8) : cutAt(data, from + step);
  const text = useMemo(() => (hex ? "" : new TextDecoder().decode(data.subarray(from, end))), [hex, data, from, end]);
  if (data.length === 0) return <p className="text-muted">There are no bytes.</p>;
  const size = hex ? step / 8 : step;
  return (
    <>
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <Button small on={!hex} onClick={() => (setHex(false), setFrom(0))}>
          Text
        </Button>
        <Button small on={hex} onClick={() => (setHex(true), setFrom(0))}>
          Hex
        </Button>
        <span className="text-muted">
          {num(from)} to {num(end)} of {num(data.length)} bytes
        </span>
        {data.length > size && (
          <>
            <Button small disabled={from === 0} onClick={() => setFrom(hex ? Math.max(0, from - size) : cutAt(data, Math.max(0, from - size)))}>
              Before
            </Button>
            <Button small disabled={end >= data.length} onClick={() => setFrom(end)}>
              Next
            </Button>
          </>
        )}
        <Button small className="ml-auto" onClick={() => void reader.save(flow, what, why)}>
          Save as a file
        </Button>
      </div>
      {hex ? <Hex data={data} from={from} count={size} /> : <Captured key={from} text={text} limit={step} label="Bytes as text" />}
    </>
  );
}

function Hex({ data, from, count }: { data: Uint8Array; from: number; count: number }) {
  return (
    <pre className="mono overflow-x-auto">
      {hexLines(data, from, count).map((l) => (
        <div key={l.at}>
          <span className="text-muted">{l.at}</span> {l.hex} <span>{l.text}</span>
        </div>
      ))}
    </pre>
  );
}

function Headers({ record }: { record: Flow | undefined }) {
  if (!record) return <p className="text-muted">Nothing is known of them.</p>;
  const { intent, outcome } = record;
  return (
    <div className="space-y-3">
      <section>
        <h4 className="mono mb-1">
          <Signed text={`${intent.method} ${intent.path}`} flat />
        </h4>
        <List headers={intent.header ?? []} />
      </section>
      <section>
        <h4 className="mono mb-1">{outcome?.status ? `HTTP ${outcome.status}` : "no answer"}</h4>
        <List headers={outcome?.header ?? []} />
      </section>
    </div>
  );
}

function List({ headers }: { headers: Header[] }) {
  if (headers.length === 0) return <p className="text-muted">None were kept.</p>;
  return (
    <dl className="grid grid-cols-[minmax(8rem,16rem)_minmax(0,1fr)] gap-x-3">
      {headers.map((h, i) => (
        <div key={i} className="contents">
          <dt className="mono text-muted [overflow-wrap:anywhere]">
            <Signed text={h.n} flat />
          </dt>
          <dd>
            <Captured text={h.v} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const around = 60; // characters

function Replaced({ was, is }: { was: Uint8Array; is: Uint8Array }) {
  const [a, b] = useMemo(() => [new TextDecoder().decode(was), new TextDecoder().decode(is)], [was, is]);
  const found = useMemo(() => edits(a, b), [a, b]);
  if (b === "") return <p className="text-muted">The provider got nothing.</p>;
  if (found.edits.length === 0) return <p className="text-muted">Nothing was replaced: the provider got what the agent sent, byte for byte.</p>;
  return (
    <>
      {!found.whole && <p className="mb-2 text-muted">The two differ by more than replaced values; the last difference holds all the rest.</p>}
      <ol className="space-y-3">
        {found.edits.slice(0, 500).map((e, i) => (
          <li key={i}>
            <OneEdit a={a} edit={e} />
          </li>
        ))}
      </ol>
    </>
  );
}

function OneEdit({ a, edit }: { a: string; edit: Edit }) {
  const before = a.slice(Math.max(0, edit.at - around), edit.at);
  const after = a.slice(edit.at + edit.was.length, edit.at + edit.was.length + around);
  const line = (sign: string, text: string, colour: string) => (
    <div className={`mono border-l-2 px-2 [overflow-wrap:anywhere] whitespace-pre-wrap ${colour}`}>
      <span className="text-muted">{sign} …</span>
      <Signed text={before} flat />
      <b>
        <Signed text={text.slice(0, 4_096)} flat />
      </b>
      <Signed text={after} flat />
      <span className="text-muted">…</span>
    </div>
  );
  return (
    <>
      <p className="text-sm text-muted">At character {num(edit.at + 1)}</p>
      {line("−", edit.was, "border-block bg-block/8")}
      {line("+", edit.is, "border-pass bg-pass/8")}
    </>
  );
}
