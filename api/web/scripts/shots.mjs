/**
 * Pictures of every page: in Chinese and English, on a screen of 1280 by 800 and a narrow one, full, empty and failing.
 *
 *   npm run shots                       a running demo at http://127.0.0.1:8080, pictures into shots/
 *   SHOTS_ONLY=live,wall npm run shots  these pages alone
 *   SHOTS_URL, SHOTS_KEY, SHOTS_DIR     another switch, its key, another folder
 *
 * Ends with 1 if a page says something to the console or axe finds something serious.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBrowser, serious } from "./browser.mjs";

const URL_ = process.env.SHOTS_URL ?? "http://127.0.0.1:8080";
const DIR = process.env.SHOTS_DIR ?? "shots";
const ONLY = process.env.SHOTS_ONLY ? process.env.SHOTS_ONLY.split(",") : null;
/** Events are drawn together within 50 ms of the first; charts take as long to draw. */
const DRAWN_MS = 400;
const key = process.env.SHOTS_KEY || (await fetch(`${URL_}/page-key`).then(async (answer) => (answer.ok ? (await answer.json()).key : "")));

/** What is drawn by default: each in both languages and sizes, and without anything or with a switch that refuses in one. */
const LOOKS = [
  { name: "en", lang: "en", width: 1280, height: 800 },
  { name: "zh", lang: "zh-CN", width: 1280, height: 800 },
  { name: "zh-narrow", lang: "zh-CN", width: 400, height: 800 },
  { name: "en-dark", lang: "en", width: 1280, height: 800, theme: "dark" },
  { name: "en-empty", lang: "en", width: 1280, height: 800, answers: "empty" },
  { name: "zh-failing", lang: "zh-CN", width: 1280, height: 800, answers: "failing" },
  { name: "ar", lang: "ar", width: 1280, height: 800 },
].filter((look) => !process.env.SHOTS_LOOKS || process.env.SHOTS_LOOKS.split(",").includes(look.name));

async function answer(page, kind) {
  await page.route("**/api/v1/**", async (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname;
    if (request.method() !== "GET" || /\/(scopes|session|wall)$/.test(path)) {
      return route.continue();
    }
    if (kind === "failing") {
      return route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ status: 503, title: "the switch is busy", detail: "the switch did not answer within a second" }) });
    }
    const real = await route.fetch();
    const body = real.ok() ? await real.json().catch(() => null) : null;
    return body && Array.isArray(body.items) ? route.fulfill({ response: real, json: { ...body, items: [], next: null } }) : route.fulfill({ response: real });
  });
}

const browser = await openBrowser();
let faults = 0;
const say = (text) => {
  faults += 1;
  console.log(text);
};

async function signed(look) {
  const context = await browser.newContext({ viewport: { width: look.width, height: look.height }, timezoneId: "UTC", locale: "en-US" });
  await context.addInitScript(
    ([key, lang, theme]) => {
      localStorage.setItem("cordboard.lang", lang);
      localStorage.setItem("cordboard.theme", theme);
      if (key) {
        sessionStorage.setItem("cordboard.key", key);
      }
    },
    [look.out ? "" : key, look.lang, look.theme ?? "light"],
  );
  if (look.out) {
    await context.addInitScript(() => sessionStorage.setItem("cordboard.left", "1"));
  }
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/50[0-9]|40[0-9]/.test(message.text())) {
      say(`${look.name}: the console says: ${message.text()}`);
    }
  });
  page.on("pageerror", (why) => say(`${look.name}: ${why.stack}`));
  return page;
}

async function shoot(page, name, look) {
  await page.screenshot({ path: join(DIR, `${name}.${look.name}.png`) });
  for (const one of await serious(page)) {
    say(`${name} ${look.name}: ${one}`);
  }
}

/** Every page that has a place in the navigation, by its address; those within another are found by their first link. */
async function pages(look) {
  const page = await signed(look);
  if (look.answers) {
    await answer(page, look.answers);
  }
  await page.goto(URL_);
  await page.waitForSelector("nav a", { state: "attached" });
  const links = await page.$$eval("nav a", (all) => all.map((one) => one.getAttribute("href")));
  for (const href of [...links, "/account"]) {
    const name = href === "/" ? "live" : href.slice(1).replaceAll("/", "-");
    if (ONLY && !ONLY.includes(name)) {
      continue;
    }
    await page.goto(URL_ + href);
    await page.waitForSelector("main h1", { state: "attached" });
    if (!look.answers) {
      await page.waitForFunction(() => document.documentElement.dataset.line === "live");
      await page.waitForTimeout(DRAWN_MS);
    }
    await page.waitForFunction(() => !document.querySelector(".el-skeleton"), undefined, { timeout: 10_000 }).catch(() => say(`${name}: still loading`));
    await shoot(page, name, look);
    const inner = await page.$("main a[data-open]");
    if (inner && !look.answers) {
      await inner.click();
      await page.waitForFunction((was) => location.pathname !== was, href);
      await page.waitForSelector("main h1", { state: "attached" });
      await page.waitForFunction(() => !document.querySelector(".el-skeleton"), undefined, { timeout: 10_000 }).catch(() => say(`${name}: still loading`));
      await shoot(page, `${name}-one`, look);
    }
  }
  await page.context().close();
}

mkdirSync(DIR, { recursive: true });
for (const look of LOOKS) {
  await pages(look);
  if (!look.answers && (!ONLY || ONLY.includes("signin"))) {
    const page = await signed({ ...look, out: true });
    await page.goto(URL_);
    await page.waitForSelector("form");
    await shoot(page, "signin", look);
    await page.context().close();
  }
}
await browser.close();
console.log(`${faults} faults; pictures are in ${DIR}`);
process.exit(faults > 0 ? 1 : 0);
