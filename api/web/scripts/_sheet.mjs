// node scripts/_sheet.mjs OUT.png WIDTH COLS files...
import { openBrowser } from "./browser.mjs";
import { readFileSync } from "node:fs";
const [out, w, cols, ...files] = process.argv.slice(2);
const b = await openBrowser(); const p = await b.newPage({ viewport: { width: Number(w) * Number(cols) + 10 * (Number(cols) + 1), height: 400 } });
const cells = files.map((f) => `<figure><figcaption>${f.split("/").pop()}</figcaption><img src="data:image/png;base64,${readFileSync(f).toString("base64")}" width="${w}"></figure>`).join("");
await p.setContent(`<style>body{margin:10px;display:grid;grid-template-columns:repeat(${cols},${w}px);gap:10px;background:#888;font:12px sans-serif}figure{margin:0}img{display:block}</style>${cells}`);
await p.waitForTimeout(300); await p.screenshot({ path: out, fullPage: true }); await b.close();
