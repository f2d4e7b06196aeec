// Server-sent events, read from text. See the HTML standard, 9.2.6.

export interface Message {
  event: string;
  data: string;
  id: string; // the last one that was named
}

/** A codec: push text as it comes, get the messages that are whole. */
export class Events {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id = "";

  /** The id of the last message that was whole, also of one that said nothing
   * else: what Last-Event-ID takes up. */
  last = "";

  push(text: string): Message[] {
    const out: Message[] = [];
    const whole = this.#rest + text;
    // A CR at the end may be half of a CR LF.
    const end = whole.endsWith("\r") ? whole.length - 1 : whole.length;
    const lines = whole.slice(0, end).split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? "") + whole.slice(end);
    for (const line of lines) {
      const message = this.#line(line);
      if (message) out.push(message);
    }
    return out;
  }

  #line(line: string): Message | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    if (field === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }

  #dispatch(): Message | undefined {
    const event = this.#event || "message";
    const data = this.#data;
    this.#event = "";
    this.#data = [];
    this.last = this.#id;
    return data.length === 0 ? undefined : { event, data: data.join("\n"), id: this.#id };
  }
}
