import { readFileSync } from "node:fs";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { budget } from "./dev/budget.ts";
import { mock } from "./dev/mock.ts";

// npm run dev shows a gateway that runs: GATEHOUSE is its console's address,
// GATEHOUSE_TOKEN_FILE its data folder's console.token. The page's origin is
// not the console's, so the proxy names the console's own.
const gateway = process.env["GATEHOUSE"] ?? "http://127.0.0.1:4040";
const tokenFile = process.env["GATEHOUSE_TOKEN_FILE"];
const bearer = tokenFile ? { authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}` } : {};
const proxy = { "/api": { target: gateway, changeOrigin: true, headers: { origin: gateway, ...bearer } } };

export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwind(), budget(), mode === "mock" ? mock() : null],
  server: { host: "127.0.0.1", proxy: mode === "mock" ? {} : proxy },
  preview: { host: "127.0.0.1" },
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    assetsInlineLimit: 0, // no data: URLs but those of captured images
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 1000, // budget judges
    reportCompressedSize: false,
  },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.{ts,tsx}", "dev/**/*.test.ts"], testTimeout: 60_000 } },
      { extends: true, test: { name: "browser", include: ["browser/**/*.test.ts"], fileParallelism: false, testTimeout: 180_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } } },
    ],
  },
}));
