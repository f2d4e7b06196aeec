// The build fails when the page's first script grows too large.
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const most = 250 * 1024; // bytes, gzipped: all that is needed before anything shows

export function budget(): Plugin {
  return {
    name: "gatehouse-budget",
    generateBundle(_, bundle) {
      const needed = new Set<string>();
      const need = (name: string) => {
        const chunk = bundle[name];
        if (needed.has(name) || chunk?.type !== "chunk") return;
        needed.add(name);
        chunk.imports.forEach(need);
      };
      for (const chunk of Object.values(bundle)) if (chunk.type === "chunk" && chunk.isEntry) need(chunk.fileName);
      let size = 0;
      for (const name of needed) {
        const chunk = bundle[name];
        if (chunk?.type === "chunk") size += gzipSync(chunk.code, { level: 9 }).length;
      }
      const text = `the first script is ${(size / 1024).toFixed(0)} KiB gzipped, of ${most / 1024}`;
      if (size > most) this.error(text);
      this.info(text);
    },
  };
}
