// Names of people, masked: who looks at sums need not see whose they are.

/** What stands for each name: "person 2/claude" for "bob/claude". The numbers
 * follow the alphabet, so that they say nothing about use. */
export function masks(names: string[]): Map<string, string> {
  const people = [...new Set(names.map(personOf))].sort();
  return new Map(names.map((n) => [n, `person ${people.indexOf(personOf(n)) + 1}${n.slice(personOf(n).length)}`]));
}

/** The user of "user/program", or all of it. */
function personOf(name: string): string {
  return name.split("/", 1)[0] ?? name;
}
