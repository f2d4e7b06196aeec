// Tables as files for a spreadsheet.

/** A number stands as it is; null is a value that nobody knows. */
export type Cell = string | number | null;

/** Rows as RFC 4180 has them. A text that a spreadsheet would take for a formula
 * gets an apostrophe before it: names come from agents and models. */
export function csv(rows: Cell[][]): string {
  return rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

function cell(value: Cell): string {
  if (value === null) return "unknown";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Saves a text as a file of the browser's. */
export function saveText(name: string, text: string, type: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
