// What a session as one file is read with: one script, one style, nothing else.
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { alone } from "./dev/alone.ts";

export default defineConfig({
  plugins: [react(), tailwind(), alone()],
  publicDir: false,
  build: {
    outDir: "dist/offline",
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: "src/offline/main.tsx",
      output: { entryFileNames: "offline.js", assetFileNames: "offline[extname]", codeSplitting: false },
    },
  },
});
