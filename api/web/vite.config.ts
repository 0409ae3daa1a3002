import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { build, type Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The switch that `npm run dev` passes requests on to. */
const SWITCH = process.env["CORDBOARD_SWITCH"] ?? "http://127.0.0.1:8080";

/** The pages: the console with the workbench, and the agent bar. */
const ENTRIES = ["index.html", "bar.html"].map((name) => fileURLToPath(new URL(name, import.meta.url))).filter(existsSync);

/** Builds `web-call.js` beside the pages: one file under a name that stays, for script elements of other origins. */
const forVisitors = (): Plugin => ({
  name: "for-visitors",
  apply: "build",
  async generateBundle() {
    const entry = fileURLToPath(new URL("src/visit/main.ts", import.meta.url));
    const built = await build({
      configFile: false,
      logLevel: "warn",
      publicDir: false,
      build: { write: false, target: "es2022", lib: { entry, formats: ["iife"], name: "cordboardVisit" } },
    });
    for (const { output } of [built].flat().filter((one) => "output" in one)) {
      this.emitFile({ type: "asset", fileName: "web-call.js", source: output[0].code });
    }
  },
});

export default defineConfig({
  plugins: [vue(), forVisitors()],
  define: { __INTLIFY_JIT_COMPILATION__: true, __VUE_I18N_LEGACY_API__: false, __VUE_I18N_FULL_INSTALL__: true },
  build: {
    target: "es2022",
    // Below this size Vite would write files into the style sheet as data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rollupOptions: { input: ENTRIES },
  },
  server: {
    proxy: {
      "/api": { target: SWITCH, ws: true },
      "/sip": { target: SWITCH, ws: true },
      "/service-cloud": SWITCH,
      "/page-key": SWITCH,
      "/healthz": SWITCH,
      "/metrics": SWITCH,
      "/openapi.json": SWITCH,
    },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.ts"] },
});
