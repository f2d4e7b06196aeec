// What a reader has open of a conversation. It outlives the parts that show it:
// those out of sight are not drawn.
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Mark, Part } from "../../api/conversation";
import type { Reader } from "../../api/reader";
import { placeOf } from "./model";

/** The kinds of folds, which a key opens all at once. */
export type Fold = "thinking" | "tool" | "system" | "note" | "side" | "echo" | "branch" | "plain";

export type Whole = { state: "reading" } | { state: "failed"; error: unknown } | { state: "here"; part: Part };

/** What is brought into view: a part, one of its marks, or one stretch of its text. */
export interface Target {
  place: string;
  mark?: number;
  at?: number; // UTF-16 offset of what was found
}

/** Findings at one place of a text, and the element that shows it. */
export interface Pointed {
  anchor: HTMLElement;
  flow: string;
  n: number;
  marks: Mark[];
}

export class Desk {
  target: Target | undefined;
  pointed: Pointed | undefined;
  find = ""; // in small letters
  version = 0;

  #folds = new Map<string, boolean>();
  #turns = new Map<string, boolean>();
  #kinds = new Map<Fold, boolean>();
  #wholes = new Map<string, Whole>();
  #listeners = new Set<() => void>();

  /** Without a reader there is nothing but what is loaded: in a file. */
  constructor(readonly reader?: Reader) {}

  subscribe = (tell: () => void) => {
    this.#listeners.add(tell);
    return () => void this.#listeners.delete(tell);
  };

  #changed() {
    this.version++;
    for (const tell of this.#listeners) tell();
  }

  /** Whether a fold of a flow is open. */
  open(key: string, flow: string, kind: Fold): boolean {
    const turn = kind === "echo" ? undefined : this.#turns.get(flow); // what was said before is not of the turn
    return this.#folds.get(key) ?? turn ?? this.#kinds.get(kind) ?? false;
  }

  fold(key: string, open: boolean) {
    this.#folds.set(key, open);
    this.#changed();
  }

  foldTurn(flow: string) {
    const open = !(this.#turns.get(flow) ?? false);
    for (const key of this.#folds.keys()) if (key.startsWith(`${flow}/`)) this.#folds.delete(key);
    this.#turns.set(flow, open);
    this.#changed();
  }

  kindOpen(kind: Fold): boolean {
    return this.#kinds.get(kind) ?? false;
  }

  foldKind(kind: Fold, open = !this.kindOpen(kind)) {
    for (const key of this.#folds.keys()) if (key.endsWith(`:${kind}`)) this.#folds.delete(key);
    this.#kinds.set(kind, open);
    this.#changed();
  }

  /** Brings something into view, opening what hides it. */
  go(target: Target, folds: string[]) {
    this.target = target;
    for (const key of folds) this.#folds.set(key, true);
    this.#changed();
  }

  point(pointed: Pointed | undefined) {
    this.pointed = pointed;
    this.#changed();
  }

  look(find: string) {
    this.find = find.toLowerCase();
    this.#changed();
  }

  whole(place: string): Whole | undefined {
    return this.#wholes.get(place);
  }

  async readWhole(flow: string, n: number) {
    const place = placeOf(flow, n);
    if (!this.reader) return;
    this.#set(place, { state: "reading" });
    try {
      this.#set(place, { state: "here", part: await this.reader.whole(flow, n) });
    } catch (error) {
      this.#set(place, { state: "failed", error });
    }
  }

  #set(place: string, whole: Whole) {
    this.#wholes.set(place, whole);
    this.#changed();
  }
}

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("a conversation is read at a desk");
  return desk;
}

/** The reader, where there is one. */
export function useReader(): Reader {
  const { reader } = useDesk();
  if (!reader) throw new Error("a file has no server to ask");
  return reader;
}

/** One thing of a desk's, anew when it changes. */
export function useOf<T>(desk: Desk, take: (desk: Desk) => T): T {
  return useSyncExternalStore(desk.subscribe, () => take(desk));
}

/** A fold's key begins with its flow and ends with its kind. */
export const foldKey = (flow: string, what: string | number, kind: Fold) => `${flow}/${what}:${kind}`;
