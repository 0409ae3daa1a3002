import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

/** The switch that `npm run dev` passes requests on to. */
const SWITCH = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [vue()],
  build: {
    target: "es2022",
    // Below this size Vite would write files into the style sheet as data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": { target: SWITCH, ws: true },
      "/page-key": SWITCH,
      "/healthz": SWITCH,
    },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.ts"] },
});
