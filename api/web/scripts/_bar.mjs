import { openBrowser, serious } from "./browser.mjs";
import { states } from "./shots/bar.mjs";
import { readFileSync, mkdirSync } from "node:fs";
const h = JSON.parse(readFileSync("/tmp/house.json"));
const url = process.env.U ?? h.url, dir = process.argv[2];
mkdirSync(dir, { recursive: true });
const b = await openBrowser();
for (const look of process.argv.slice(3)) {
  const [lang, theme] = look.split(":");
  const c = await b.newContext({ viewport: { width: 390, height: 700 }, timezoneId: "UTC", locale: "en-US", permissions: ["microphone"] });
  await c.addInitScript(([s, l, t]) => { localStorage.setItem("cordboard.lang", l); localStorage.setItem("cordboard.theme", t); sessionStorage.setItem("cordboard.session", s); }, [JSON.stringify(h.desk), lang, theme ?? "light"]);
  const page = await c.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && console.log(look, m.text()));
  page.on("pageerror", (e) => console.log(look, e.stack));
  await page.goto(`${url}/bar.html?tenant=default&account=1012`);
  await states(page, async (name) => {
    await page.waitForTimeout(400);
    await page.screenshot({ path: `${dir}/${name}.${look.replace(":", "-")}.png` });
    for (const one of await serious(page)) console.log(name, look, one);
  }).catch(async (why) => { console.log(String(why)); await page.screenshot({ path: `${dir}/fault.${look.replace(":", "-")}.png` }); });
  await c.close();
}
await b.close();
