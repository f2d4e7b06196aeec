// The build fails when a file of a session would need more than its script and its
// style, or when these grow too large. The licences of what is in the script stand
// at its head: who gets a file gets them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const most = 150 * 1024; // bytes, gzipped: both, in each file

export function alone(): Plugin {
  return {
    name: "gatehouse-alone",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const names = Object.keys(bundle).sort();
        if (names.join() !== "offline.css,offline.js") this.error(`a file of a session is a script and a style, not ${names.join(", ")}`);
        const script = bundle["offline.js"];
        const style = bundle["offline.css"];
        if (script?.type !== "chunk" || style?.type !== "asset") return this.error("a file of a session is a script and a style");
        if (script.imports.length + script.dynamicImports.length > 0) this.error("the script of a file imports something");
        script.code = `/*!\n${licences(script.moduleIds)}*/\n${script.code}`;
        const css = String(style.source);
        if (/@import|url\((?!["']?data:)/.test(css)) this.error("the style of a file asks for something");
        const size = gzipSync(script.code, { level: 9 }).length + gzipSync(css, { level: 9 }).length;
        const text = `script and style of a file are ${(size / 1024).toFixed(0)} KiB gzipped, of ${most / 1024}`;
        if (size > most) this.error(text);
        this.info(text);
      },
    },
  };
}

/** The licences of the packages that modules are of; the same text once. */
function licences(modules: string[]): string {
  const byText = new Map<string, string[]>();
  const folders = new Set(modules.flatMap((id) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll("\\", "/"))?.[1] ?? []));
  for (const folder of [...folders].sort()) {
    const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
    const file = existsSync(folder) ? readdirSync(folder).find((f) => /^licen[cs]e(\.|$)/i.test(f)) : undefined;
    if (!file) throw new Error(`${name} has no licence to put into files`);
    const text = readFileSync(join(folder, file), "utf8").replaceAll("\r", "").replaceAll("*/", "* /").trim();
    byText.set(text, [...(byText.get(text) ?? []), name]);
  }
  return [...byText].map(([text, names]) => `${names.join(", ")}\n\n${text}\n`).join("\n");
}
