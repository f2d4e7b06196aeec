// Calls of the admin API. The cookie comes along by itself, the page's word here:
// so a plain link to /api gets nothing, and what is saved goes through save().
import { lost, proof } from "./session";
import { why } from "./why";

const root = "/api/v1";

/** Why a call failed, in words for people. Status 0: no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly column?: number, // of a filter: 1-based, in characters
    readonly hint?: string,
  ) {
    super(message);
    this.name = "Problem";
  }
}

/** A call whose headers are a plain object. */
export type Init = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

export type Params = Record<string, string | number | boolean | readonly string[] | undefined>;

/** The address of a route. Parameters that are undefined or "" are left out; of a
 * list each stands for itself. */
export function address(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === "object") for (const each of value) query.append(name, each);
    else if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return root + path + (text ? `?${text}` : "");
}

/** Sends a request. Throws a Problem unless the answer is a 2xx. */
export async function call(path: string, params?: Params, init?: Init): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(address(path, asked(params)), { ...init, headers: { ...init?.headers, ...proof() }, redirect: "error" });
  } catch (e) {
    if (init?.signal?.aborted) throw e;
    throw new Problem(0, "network", "the gateway does not answer", undefined, "is it running? `gatehouse up` starts it");
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && path !== "/login") lost();
  throw await problemOf(answer);
}

/** The times in a filter are those of this browser's clock; that its texts are
 * looked for is put on record, with a reason. */
function asked(params: Params | undefined): Params {
  return params?.["q"] ? { offset: -new Date().getTimezoneOffset(), why: why(), ...params } : (params ?? {});
}

async function problemOf(answer: Response): Promise<Problem> {
  const text = await answer.text().catch(() => "");
  return parseProblem(answer.status, text) ?? new Problem(answer.status, "answer", `the gateway answered ${answer.status}`);
}

/** Reads {"error":{…}}. Undefined: the text is none. */
export function parseProblem(status: number, text: string): Problem | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { kind: string; message: string; column?: number; hint?: string } };
    return error && new Problem(status, error.kind, error.message, error.column, error.hint);
  } catch {
    return undefined;
  }
}

export async function get<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> {
  const answer = await call(path, params, signal ? { signal } : {});
  return (await answer.json()) as T;
}

export async function send<T = void>(method: "POST" | "DELETE", path: string, body?: unknown, params?: Params): Promise<T> {
  const answer = await call(path, params, {
    method,
    ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export async function text(path: string, params?: Params, signal?: AbortSignal): Promise<string> {
  return (await call(path, params, signal ? { signal } : {})).text();
}

/** Saves what a route answers as a file of the browser's. */
export async function save(name: string, path: string, params?: Params): Promise<void> {
  const answer = await call(path, params);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
