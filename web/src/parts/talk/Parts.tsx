// What a request or an answer says, part by part.
import { useEffect, useRef, type ReactNode } from "react";
import type { Mark, Part } from "../../api/conversation";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Line } from "../Captured";
import { Copy } from "../Copy";
import { Icon } from "../Icon";
import { bytes, shortID } from "../format";
import { argsOf, definitions, gist, pretty, type Definition as ToolDefinition } from "./args";
import { foldKey, useDesk, useOf, type Fold as Kind } from "./desk";
import { Fold } from "./Fold";
import { placeOf, speaker, type Call, type Speaker } from "./model";
import { Text } from "./Text";

/** Where a page goes when a part names another flow or sub-agent. */
export interface Places {
  toFlow(flow: string, n?: number): void;
  toBranch(subagent: string): void;
  linkTo?(flow: string, n?: number): string; // absent: there is no address to give
}

const tones = { Person: "text-info", Task: "text-info", Agent: "text-muted", Model: "text-accent", Provider: "text-muted", Tool: "text-ask" } as const;
const says = {
  Person: "what a person typed",
  Task: "what the agent that started this one asks of it",
  Agent: "what the agent added by itself: instructions, reminders, summaries",
  Model: "what the model answered",
  Provider: "what the provider sent that is no answer of the model: an error, a kind of content that is not known",
  Tool: "what a tool gave back",
} as const;

/** A part with who speaks beside it. */
export function Spoken({ who, children }: { who: Speaker; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[3.5rem_minmax(0,1fr)] gap-x-2">
      <div className={`pt-0.5 text-right text-sm ${tones[who]}`} title={says[who]}>
        {who}
      </div>
      <div className="min-w-0">{children}</div>
    </div>
  );
}

/** A part as it is, or whole when somebody asked for it. */
export function usePart(flow: string, part: Part): Part {
  const desk = useDesk();
  const whole = useOf(desk, (d) => d.whole(placeOf(flow, part.n)));
  return whole?.state === "here" ? { ...part, ...whole.part, cut: false } : part;
}

/** The frame of a part, which is scrolled to when it is asked for. */
function Framed({ flow, part, children }: { flow: string; part: Part; children: ReactNode }) {
  const desk = useDesk();
  const ref = useRef<HTMLDivElement>(null);
  const target = useOf(desk, (d) => (d.target?.place === placeOf(flow, part.n) && d.target.mark === undefined && d.target.at === undefined ? d.target : undefined));
  useEffect(() => {
    if (target) ref.current?.scrollIntoView({ block: "center" });
  }, [target]);
  return (
    <div ref={ref} data-part={part.n} className={`group/part relative ${target ? "rounded outline-2 outline-offset-2 outline-accent" : ""}`}>
      {children}
    </div>
  );
}

interface PartProps {
  flow: string;
  part: Part;
  places: Places;
  call?: Call | undefined; // that it is, with what came back
  of?: string | undefined; // of a result: the call's title
  sub?: boolean; // of a sub-agent
  given?: boolean; // a tool gave it, whoever brings it
}

export function PartView({ part: given, ...rest }: PartProps) {
  const { flow } = rest;
  const part = usePart(flow, given);
  return (
    <Framed flow={flow} part={part}>
      <Body part={part} {...rest} />
    </Framed>
  );
}

function Body({ flow, part, places, call, of, sub, given }: PartProps) {
  if (part.kind === "text" && part.bytes === 0) return null;
  const who = given ? "Tool" : speaker(part, sub);
  switch (part.kind) {
    case "tool_call":
      return (
        <Spoken who={who}>
          <CallView flow={flow} part={part} call={call} places={places} />
        </Spoken>
      );
    case "thinking":
      return (
        <Spoken who={who}>
          <Fold flow={flow} what={part.n} kind="thinking" head={<Head name="Thinking" part={part} preview={part.text} />}>
            {() => (part.text === "" ? <p className="text-muted">The provider keeps it to itself: only its signature was sent.</p> : <Content flow={flow} part={part} places={places} prose quiet />)}
          </Fold>
        </Spoken>
      );
    case "media":
      return (
        <Spoken who={who}>
          <Picture media={part.media} name={part.name} />
        </Spoken>
      );
    case "tool_result":
      return (
        <Spoken who="Tool">
          <Fold flow={flow} what={part.n} kind="tool" boxed head={<Head name={of ? `Result of ${of}` : part.id ? `Result of a call before (${shortID(part.id)})` : "Result of a call before"} part={part} preview={gist(part.text)} />} beside={part.failed && <Badge tone="bad">failed</Badge>}>
            {() => <Content flow={flow} part={part} places={places} />}
          </Fold>
        </Spoken>
      );
    case "text":
      return <TextPart flow={flow} part={part} places={places} who={who} />;
  }
  return (
    <Spoken who={who}>
      <Fold flow={flow} what={part.n} kind="plain" boxed head={<Head name={part.name ? `${part.kind}: ${part.name}` : who === "Provider" ? "Not an answer of the model" : "Something of a kind that is not known"} part={part} preview={part.text} />}>
        {() => <Content flow={flow} part={part} places={places} json />}
      </Fold>
    </Spoken>
  );
}

function TextPart({ flow, part, places, who }: PartProps & { who: Speaker }) {
  if (who === "Agent") {
    const name = part.role === "system" || part.role === "developer" ? "System prompt" : "Added by the agent";
    const kind: Kind = part.role === "user" ? "note" : "system";
    return (
      <Spoken who={who}>
        <Fold flow={flow} what={part.n} kind={kind} head={<Head name={name} part={part} preview={part.text} />} beside={<Seen part={part} places={places} />}>
          {() => <Content flow={flow} part={part} places={places} prose />}
        </Fold>
      </Spoken>
    );
  }
  const from = (who !== "Model" && part.prompt) || 0;
  const added = before(part, from);
  return (
    <>
      {from > 0 && (
        <Spoken who="Agent">
          <Fold flow={flow} what={part.n} kind="note" head={<Head name="Added by the agent" part={added} preview={added.text} />}>
            {() => <Text flow={flow} part={part} to={from} prose />}
          </Fold>
        </Spoken>
      )}
      <Spoken who={who}>
        <div className={who === "Person" || who === "Task" ? "rounded border border-line bg-raised/60 px-2.5 py-1.5" : "py-0.5"}>
          <Content flow={flow} part={part} places={places} prose from={from} />
        </div>
        <div className="flex">
          <Seen part={part} places={places} />
        </div>
      </Spoken>
    </>
  );
}

/** What stands before a place of a part's text, as a part. */
function before(part: Part, to: number): Part {
  const text = part.text.slice(0, to);
  return { ...part, text, bytes: new TextEncoder().encode(text).length, marks: part.marks?.filter((m) => m.start < to) ?? [] };
}

/** The head of a fold: its name, size, what was found in it, and how it begins. */
function Head({ name, part, preview }: { name: string; part: Part; preview: string }) {
  return (
    <>
      <span className="max-w-2/3 shrink-0 truncate">
        <Line text={name} />
      </span>
      <FoundSigns marks={part.marks} />
      <span className="shrink-0 text-sm text-muted">{bytes(part.bytes)}</span>
      <span className="min-w-0 truncate text-sm text-muted group-aria-expanded/fold:hidden">
        <Line text={preview.trimStart().slice(0, 160)} />
      </span>
    </>
  );
}

/** Says outside of a fold that something was found within. */
function FoundSigns({ marks }: { marks: Mark[] | undefined }) {
  if (!marks?.length) return null;
  const grades = ["low", "medium", "high", "critical"];
  const sorted = marks.toSorted((a, b) => grades.indexOf(b.severity ?? "high") - grades.indexOf(a.severity ?? "high"));
  const rules = [...new Set(sorted.map((m) => m.rule))]; // the gravest first
  const grave = grades.indexOf(sorted[0]?.severity ?? "high") >= 2;
  return (
    <Badge tone={grave ? "bad" : "warn"} title={rules.join(", ")}>
      {rules[0]}
      {rules.length > 1 && ` +${rules.length - 1}`}
    </Badge>
  );
}

function Seen({ part, places }: { part: Part; places: Places }) {
  const first = part.first;
  if (!first) return null;
  return (
    <button type="button" className="relative h-6 shrink-0 text-sm text-muted underline decoration-line-strong underline-offset-3 hover:text-ink" onClick={() => places.toFlow(first.flow)}>
      first seen in {first.turn === null || first.turn === undefined ? shortID(first.flow) : `turn ${first.turn}`}
    </button>
  );
}

/** A part's text with what can be done with it. */
function Content({ flow, part, places, prose = false, json = false, quiet = false, from = 0 }: { flow: string; part: Part; places: Places; prose?: boolean; json?: boolean; quiet?: boolean; from?: number }) {
  const shown = json && !part.marks?.length ? pretty(part.text) : part.text;
  return (
    <div className={quiet ? "text-muted" : ""}>
      {part.kind === "tool_result" && isRecord(part) ? <Args flow={flow} part={part} /> : <Text flow={flow} part={part} {...(shown === part.text ? {} : { text: shown })} prose={prose} from={from} />}
      {part.text === "" && <span className="text-muted">(empty)</span>}
      {part.shows?.map((m, i) => <Picture key={i} media={m} />)}
      <Cut flow={flow} part={part} />
      {part.bad && <p className="text-sm text-muted">Bytes that are no UTF-8 are shown as ⟨FFFD⟩ or ␦; the bytes themselves can be read.</p>}
      <Tools flow={flow} part={part} places={places} />
    </div>
  );
}

/** Copies of a part's text and place, shown when they are near. */
function Tools({ flow, part, places }: { flow: string; part: Part; places: Places }) {
  return (
    <span className="absolute top-0 right-0 flex rounded border border-line bg-panel opacity-0 group-hover/part:opacity-100 focus-within:opacity-100">
      <Copy text={part.text} what="the text" />
      {places.linkTo && <Copy text={places.linkTo(flow, part.n)} what="a link to this" icon="bookmark" />}
    </span>
  );
}

function Cut({ flow, part }: { flow: string; part: Part }) {
  const desk = useDesk();
  const whole = useOf(desk, (d) => d.whole(placeOf(flow, part.n)));
  if (!part.cut) return null;
  return (
    <p className="mt-1 flex items-center gap-2">
      <Button small disabled={whole?.state === "reading"} onClick={() => void desk.readWhole(flow, part.n)}>
        {whole?.state === "reading" ? "Reading…" : `Show all ${bytes(part.bytes)}`}
      </Button>
      <span className="text-sm text-muted">This is how it begins.</span>
      {whole?.state === "failed" && (
        <span role="alert" className="text-block">
          {whole.error instanceof Error ? whole.error.message : String(whole.error)}
        </span>
      )}
    </p>
  );
}

const pictures = /^image\/(png|jpeg|gif|webp)$/; // made of pixels: no SVG

function Picture({ media, name: given = "" }: { media: Part["media"]; name?: string | undefined }) {
  const name = media?.type || given || "media";
  if (!media?.data || !pictures.test(media.type)) {
    return (
      <p className="text-muted">
        <Line text={name} />
        {media && media.bytes > 0 ? `, ${bytes(media.bytes)}` : ""}: it is not shown here; the bytes of the request hold it.
      </p>
    );
  }
  return (
    <figure>
      <img src={`data:${media.type};base64,${media.data}`} alt={`${name} that was sent`} className="max-h-80 min-h-8 min-w-8 max-w-full rounded border border-line object-contain" />
      <figcaption className="text-sm text-muted">
        {name}, {bytes(media.bytes)}
      </figcaption>
    </figure>
  );
}

/** All tools that a request offers. */
export function Offered({ flow, tools }: { flow: string; tools: Part[] }) {
  const list = tools.flatMap((part) => toldIn(part).map((d, i) => ({ ...d, part, i })));
  const names = list.map((d) => d.name).join(", ");
  return (
    <Spoken who="Agent">
      <Fold
        flow={flow}
        what="tools"
        kind="system"
        head={
          <>
            <span className="shrink-0">
              {list.length} {list.length === 1 ? "tool" : "tools"} offered
            </span>
            <FoundSigns marks={tools.flatMap((t) => t.marks ?? [])} />
            <span className="shrink-0 text-sm text-muted">{bytes(tools.reduce((sum, t) => sum + t.bytes, 0))}</span>
            <span className="min-w-0 truncate text-sm text-muted">
              <Line text={names} />
            </span>
          </>
        }
      >
        {() => (
          <ul className="space-y-1">
            {list.map((d, i) => (
              <li key={i}>
                <Fold
                  flow={flow}
                  what={toolFold(d.part, d.i)}
                  kind="plain"
                  boxed
                  head={
                    <>
                      <span className="mono shrink-0 font-semibold">
                        <Line text={d.name || "without a name"} />
                      </span>
                      <FoundSigns marks={d.part.marks} />
                      <span className="min-w-0 truncate text-sm text-muted">
                        <Line text={d.description.slice(0, 200)} />
                      </span>
                    </>
                  }
                >
                  {() => <Definition flow={flow} part={d.part} says={d} />}
                </Fold>
              </li>
            ))}
          </ul>
        )}
      </Fold>
    </Spoken>
  );
}

/** Of a text with marks, and of the beginning of one, nothing can be taken apart. */
const asWritten = (part: Part) => Boolean(part.marks?.length || part.cut);

type Told = Partial<ToolDefinition> & { name: string; description: string };
const toldIn = (part: Part): Told[] => (asWritten(part) ? [{ name: part.name ?? "", description: "" }] : definitions(part.text, part.name));
const toolFold = (part: Part, i: number) => `tool ${part.n} ${i}`;

function Definition({ flow, part: given, says }: { flow: string; part: Part; says: Told }) {
  const part = usePart(flow, given);
  if (asWritten(given)) {
    return (
      <Framed flow={flow} part={part}>
        <Text flow={flow} part={part} />
        <Cut flow={flow} part={part} />
      </Framed>
    );
  }
  return (
    <Framed flow={flow} part={part}>
      {says.about && <Text flow={flow} part={part} text={says.about} prose />}
      {says.description && <Text flow={flow} part={part} text={says.description} prose />}
      {says.schema && <Said title="Arguments, as a JSON schema" flow={flow} part={part} text={says.schema} />}
      {says.rest && <Said title="What else the definition says" flow={flow} part={part} text={says.rest} />}
    </Framed>
  );
}

function Said({ title, flow, part, text }: { title: string; flow: string; part: Part; text: string }) {
  return (
    <>
      <h4 className="mt-2 mb-0.5 text-sm text-muted">{title}</h4>
      <Text flow={flow} part={part} text={text} />
    </>
  );
}

/** A tool call, with its result when there is one. */
function CallView({ flow, part, call, places }: { flow: string; part: Part; call: Call | undefined; places: Places }) {
  const result = call?.result;
  const failed = result?.part.failed;
  return (
    <>
      <Fold flow={flow} what={part.n} kind="tool" boxed head={<CallHead part={part} result={result?.part} />} beside={call === undefined ? undefined : <Outcome result={result?.part} failed={failed} withheld={call.turn.verdict === "block" && part.marks?.some((m) => m.action === "block")} />}>
        {() => (
          <div className="space-y-2">
            <Args flow={flow} part={part} />
            {result && <Result flow={result.turn.flow} turn={result.turn.turn} part={result.part} places={places} />}
          </div>
        )}
      </Fold>
      {call?.branches.map((b) => (
        <button key={b} type="button" onClick={() => places.toBranch(b)} className="mt-1 inline-flex items-center gap-1 text-sm text-info underline underline-offset-3">
          <Icon name="branch" size={13} /> the sub-agent that it started: <Line text={b} />
        </button>
      ))}
    </>
  );
}

function CallHead({ part, result }: { part: Part; result: Part | undefined }) {
  const name = part.name ?? "";
  const title = part.title ?? "";
  const rest = title.startsWith(name) ? title.slice(name.length).trim() : title;
  return (
    <>
      <Icon name="tool" size={13} className="text-muted" />
      <span className="max-w-3/5 shrink-0 truncate font-semibold">
        <Line text={name || "tool call"} />
      </span>
      <span className="mono min-w-0 truncate">
        <Line text={rest} />
      </span>
      {result && (
        <span className="max-w-1/2 min-w-0 truncate text-sm text-muted group-aria-expanded/fold:hidden">
          <Line text={`→ ${firstLine(gist(result.text))}`} />
        </span>
      )}
      <FoundSigns marks={[...(part.marks ?? []), ...(result?.marks ?? [])]} />
    </>
  );
}

function firstLine(text: string): string {
  return /\S[^\n]*/.exec(text.slice(0, 2_048))?.[0].slice(0, 160) ?? "nothing";
}

function Outcome({ result, failed, withheld }: { result: Part | undefined; failed: boolean | undefined; withheld: boolean | undefined }) {
  if (!result && withheld) return <Badge tone="bad">withheld from the agent</Badge>;
  if (!result) return <span className="shrink-0 text-sm text-muted">no result yet</span>;
  if (failed) return <Badge tone="bad">failed</Badge>;
  return <span className="shrink-0 text-sm text-muted">{bytes(result.bytes)} back</span>;
}

const fewFields = 6;

/** Whether a result is a few named texts, which read better than their JSON. */
function isRecord(part: Part): boolean {
  if (part.cut || part.text[0] !== "{") return false;
  const args = argsOf(part.text);
  return args !== undefined && args.length > 0 && args.length <= fewFields && args.every((a) => !/^[[{]/.test(a.text));
}

const removed = /^old_?(str|string)$/i;
const added = /^(new_?(str|string)|content)$/i;

function Args({ flow, part }: { flow: string; part: Part }) {
  const args = part.cut ? undefined : argsOf(part.text, part.marks);
  if (!args) {
    return (
      <>
        <Text flow={flow} part={part} />
        <Cut flow={flow} part={part} />
      </>
    );
  }
  return (
    <dl className="grid grid-cols-[minmax(4rem,max-content)_minmax(0,1fr)] gap-x-3 gap-y-1">
      {args.map((a, i) => (
        <div key={i} className="contents">
          <dt className="mono max-w-40 truncate text-muted">
            <Line text={a.name} />
          </dt>
          <dd className={removed.test(a.name) ? "border-l-2 border-block pl-2" : added.test(a.name) ? "border-l-2 border-pass pl-2" : ""}>
            <Text flow={flow} part={{ ...part, text: a.text, marks: a.marks }} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Result({ flow, turn, part: given, places }: { flow: string; turn: number | null; part: Part; places: Places }) {
  const part = usePart(flow, given);
  return (
    <Framed flow={flow} part={part}>
      <div className="border-t border-line pt-1.5">
        <h4 className="mb-0.5 flex items-center gap-2 text-sm text-muted">
          {part.failed ? <span className="text-block">What came back: an error</span> : "What came back"}
          {turn !== null && <span>(sent with turn {turn})</span>}
        </h4>
        <Content flow={flow} part={part} places={places} />
      </div>
    </Framed>
  );
}

/** A result that stands with its call, elsewhere. */
export function ResultNote({ flow, part, call, places }: { flow: string; part: Part; call: Call; places: Places }) {
  return (
    <button
      type="button"
      onClick={() => places.toFlow(flow, part.n)}
      className="inline-flex max-w-full items-center gap-1.5 rounded border border-line px-1.5 text-sm text-muted hover:bg-raised hover:text-ink"
      title="shown with its call: go there"
    >
      <Icon name="tool" size={12} />
      <span className="shrink-0">{part.failed ? "Failed:" : "Result of"}</span>
      <span className="truncate">
        <Line text={call.part.title || call.part.name || "a call"} />
      </span>
      <span className="shrink-0">{bytes(part.bytes)}</span>
      <FoundSigns marks={part.marks} />
    </button>
  );
}

export const foldsOf = (flow: string, part: Part): string[] =>
  part.kind === "tool_definition"
    ? [foldKey(flow, "tools", "system"), ...toldIn(part).map((_, i) => foldKey(flow, toolFold(part, i), "plain"))]
    : (["tool", "thinking", "system", "note", "plain"] as const).map((k) => foldKey(flow, part.n, k));
