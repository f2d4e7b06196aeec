// What the filter box offers: what can be typed next, or, while it is empty,
// filters that were used before and some to begin with.
import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/client";
import { fields } from "../../api/fields";
import { complete, fieldAt, taken, type Known } from "../../api/filters";
import { Signed } from "../Captured";
import { recent } from "../recent";

export interface Offer {
  text: string; // what then stands in the box
  caret: number;
  shows: string;
  says: string;
  whole: boolean; // it is a filter that can be used as it is
}

const examples = [
  ["is:blocked OR is:redacted", "what was stopped or changed"],
  ["is:finding severity>=high", "grave findings"],
  ["cost>0.5 since:1d", "expensive calls of the last day"],
  ["-state:done since:1d", "what did not end well, or has not ended"],
] as const;

const searches = [
  ['"rm -rf"', "these words, one behind the other"],
  ["password*", "words that begin so"],
  ["deploy agent:claude since:7d", "a word, in some flows only"],
] as const;

export function useOffers(text: string, caret: number, open: boolean, searching: boolean): Offer[] {
  const known = useKnown(open ? fieldAt(text, caret) : "");
  if (!open) return [];
  if (text.trim() === "") {
    const whole = (shows: string, says: string): Offer => ({ text: shows, caret: shows.length, shows, says, whole: true });
    return [...recent().slice(0, 6).map((q) => whole(q, "used before")), ...(searching ? searches : examples).map(([q, says]) => whole(q, says))];
  }
  const c = complete(text, caret, fields, known);
  return c.choices.map((choice) => ({ ...taken(text, c, choice), shows: choice.text, says: choice.says, whole: false }));
}

/** Values that were recorded, of the fields that have few. */
function useKnown(field: string): Known {
  const by = field === "model" || field === "agent" || field === "provider" ? field : "";
  const { data } = useQuery({
    queryKey: ["known", by],
    queryFn: ({ signal }) => get<{ groups: { keys: string[] }[] }>("/overview", { by, q: "since:30d" }, signal),
    enabled: by !== "",
    staleTime: 60_000,
    retry: false,
  });
  return data ? { [by]: data.groups.flatMap((g) => g.keys).filter((k) => k !== "") } : {};
}

export function Offers({ id, offers, at, onPoint, onTake }: { id: string; offers: Offer[]; at: number; onPoint(i: number): void; onTake(o: Offer): void }) {
  return (
    <ul
      id={id}
      role="listbox"
      aria-label="Completions"
      hidden={offers.length === 0}
      className="max-h-96 overflow-y-auto rounded border border-line-strong bg-panel p-1 shadow-lg"
    >
      {offers.map((o, i) => (
        <li
          key={o.shows + i}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === at}
          onMouseMove={() => i !== at && onPoint(i)}
          onMouseDown={(e) => (e.preventDefault(), onTake(o))} // the box keeps the focus
          className={`flex h-7 cursor-pointer items-center gap-4 rounded px-2 ${i === at ? "bg-accent-soft" : ""}`}
        >
          <span className="mono truncate">
            <Signed text={o.shows} flat />
          </span>
          <span className="ml-auto shrink-0 truncate text-sm text-muted">{o.says}</span>
        </li>
      ))}
    </ul>
  );
}
