/**
 * Pictures of every page: console, an agent's pages with his bar, the bar by itself, the sign-in; in Chinese and English, on a screen of
 * 1280 by 800 and on one of 390 by 844, full, empty and failing; light and dark, and from right to left.
 *
 *   make shots                           builds the switch, fills a demo and makes all of them, into api/web/shots/
 *   SHOTS_ONLY=wall,chats-row make shots these pages alone; SHOTS_LOOKS=en,zh these looks alone; SHOTS_DIR another folder
 *   SHOTS_URL, SHOTS_KEY                 a switch that runs already: as it is, or filled first with SHOTS_FILL=yes
 *   SHOTS_URL, CORDBOARD                 pages from there (vite's), before a switch that is started and filled
 *
 * Ends with 1 if a page says something to the console or axe finds something serious.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBrowser, serious } from "./browser.mjs";
import { states } from "./shots/bar.mjs";
import { AGENT, DESK, fill, inCall, shutOut, start } from "./shots/stage.mjs";

const DIR = process.env.SHOTS_DIR ?? "shots";
const ONLY = process.env.SHOTS_ONLY ? process.env.SHOTS_ONLY.split(",") : null;
/** Events are drawn together within 50 ms of the first; charts take as long to draw. */
const DRAWN_MS = 400;
const SKELETON_MS = 10_000;
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };

/** Each in both languages; Arabic and dark once. */
const LOOKS = [
  ...["en", "zh-CN"].flatMap((lang) => {
    const name = lang.slice(0, 2);
    return [
      { name, lang, ...WIDE },
      { name: `${name}-narrow`, lang, ...NARROW },
      { name: `${name}-empty`, lang, ...WIDE, answers: "empty" },
      { name: `${name}-failing`, lang, ...WIDE, answers: "failing" },
    ];
  }),
  { name: "en-dark", lang: "en", ...WIDE, theme: "dark" },
  { name: "ar", lang: "ar", ...WIDE },
].filter((look) => !process.env.SHOTS_LOOKS || process.env.SHOTS_LOOKS.split(",").includes(look.name));

const wants = (name) => !ONLY || ONLY.includes(name);
const staged = process.env.SHOTS_URL && !process.env.CORDBOARD ? null : await start(process.env.CORDBOARD ?? "../../target/release/cordboard");
const URL_ = process.env.SHOTS_URL ?? staged.url;
const key = process.env.SHOTS_KEY || (await fetch(`${URL_}/page-key`).then(async (answer) => (answer.ok ? (await answer.json()).key : "")));
const browser = await openBrowser();
let faults = 0;
const say = (text) => {
  faults += 1;
  console.log(text);
};

async function answer(page, kind) {
  await page.route("**/api/v1/**", async (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname;
    if (request.method() !== "GET" || /\/(scopes|session|wall|desk|turns|events)$/.test(path)) {
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

/** A page of somebody: with the key, with the session of an agent or a person, or of nobody. */
async function signed(look, who) {
  const context = await browser.newContext({ viewport: { width: look.width, height: look.height }, timezoneId: "UTC", locale: "en-US", permissions: ["microphone"] });
  await context.addInitScript(
    ([key, session, lang, theme]) => {
      localStorage.setItem("cordboard.lang", lang);
      localStorage.setItem("cordboard.theme", theme);
      if (key) {
        sessionStorage.setItem("cordboard.key", key);
      } else {
        sessionStorage.setItem("cordboard.left", "1");
      }
      if (session) {
        sessionStorage.setItem("cordboard.session", session);
      }
    },
    [who === "key" ? key : "", who && who !== "key" ? JSON.stringify(who) : "", look.lang, look.theme ?? "light"],
  );
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/50[0-9]|40[0-9]|AudioContext|JsSIP/.test(message.text())) {
      say(`${look.name}: the console says: ${message.text()}`);
    }
  });
  page.on("pageerror", (why) => say(`${look.name}: ${why.stack}`));
  if (look.answers) {
    await answer(page, look.answers);
  }
  return page;
}

async function shoot(page, name, look) {
  await page.waitForFunction(() => !document.querySelector(".el-skeleton"), undefined, { timeout: SKELETON_MS }).catch(() => say(`${name} ${look.name}: still loading`));
  await page.screenshot({ path: join(DIR, `${name}.${look.name}.png`) });
  for (const one of await serious(page)) {
    say(`${name} ${look.name}: ${one}`);
  }
}

/** What opens within a page, by its name: links and buttons that lead further are marked, rows of a list and their forms are found. */
const WITHIN = [
  ["one", "main a[data-open]"],
  ["new", "main header .el-button--primary"],
  ["row", "main .rows button, main .plain-table td button.link"],
];

/** Every page that has a place in the navigation, by its address. */
async function pages(look, who, before) {
  const page = await signed(look, who);
  await page.goto(URL_);
  await page.waitForSelector("nav a", { state: "attached" });
  const links = await page.$$eval("nav a", (all) => all.map((one) => one.getAttribute("href")));
  for (const href of [...links, "/account"]) {
    const name = `${before}${href === "/" ? "live" : href.slice(1).replaceAll("/", "-")}`;
    const within = look.answers || before ? [] : WITHIN.filter(([what]) => wants(`${name}-${what}`));
    if (!wants(name) && within.length === 0) {
      continue;
    }
    const open = async () => {
      await page.goto(URL_ + href);
      await page.waitForSelector("main h1", { state: "attached" });
      if (look.answers !== "failing") {
        await page.waitForFunction(() => document.documentElement.dataset.line === "live");
        await page.waitForTimeout(DRAWN_MS);
      }
    };
    await open();
    if (wants(name)) {
      await shoot(page, name, look);
    }
    for (const [what, selector] of within) {
      await page.waitForFunction(() => !document.querySelector(".el-skeleton")).catch(() => undefined);
      const found = await page.$(selector);
      if (found) {
        await found.click();
        await page.waitForTimeout(DRAWN_MS);
        await shoot(page, `${name}-${what}`, look);
        await open();
      }
    }
  }
  await page.context().close();
}

/** A page that is no page of the navigation. */
async function alone(look, who, name, path, there) {
  if (!wants(name)) {
    return;
  }
  const page = await signed(look, who);
  await page.goto(URL_ + path);
  await page.waitForSelector(there);
  await page.waitForTimeout(DRAWN_MS);
  await shoot(page, name, look);
  await page.context().close();
}

/** The bar through a call. */
const STATES = ["ready", "call-out", "check", "ringing", "talking", "keys", "transfer", "consult", "consulting", "conference", "held", "wrap-up"];
async function inBar(look, desk) {
  if (look.answers || !STATES.some((state) => wants(`bar-${state}`))) {
    return;
  }
  const page = await signed({ ...look, width: 390, height: 700 }, desk);
  await page.goto(`${URL_}/bar.html?tenant=default&account=${DESK}`);
  await states(page, async (name) => {
    await page.waitForTimeout(DRAWN_MS);
    if (wants(name)) {
      await shoot(page, name, look);
    }
  });
  await page.context().close();
}

/** A person begins a second factor. */
async function factor(look, person) {
  if (!wants("account-factor")) {
    return;
  }
  const page = await signed(look, person);
  await page.goto(`${URL_}/account`);
  await page.fill("#proof", person.password);
  await page.click("#proof >> xpath=following::button[1]");
  await page.waitForSelector("svg.qr");
  await shoot(page, "account-factor", look);
  await page.context().close();
}

mkdirSync(DIR, { recursive: true });
const house = staged || process.env.SHOTS_FILL ? await fill(URL_, key) : null;
try {
  for (const look of LOOKS) {
    if (house) {
      await shutOut(URL_, key).catch((why) => say(String(why)));
    }
    await pages(look, "key", "");
    if (house) {
      await inCall(URL_, key);
      await pages(look, house.agent, "agent-");
      await alone({ ...look, width: 390, height: 700 }, house.agent, "bar", `/bar.html?tenant=default&account=${AGENT}`, "main, #app > *");
      await inBar(look, house.desk);
    }
    if (!look.answers) {
      if (house) {
        await factor(look, house.person);
      }
      await alone(look, "", "signin", "/", "form");
      await alone({ ...look, width: 390, height: 700 }, "", "bar-signin", "/bar.html", "form");
    }
  }
} finally {
  await browser.close();
  await staged?.stop();
}
console.log(`${faults} faults; pictures are in ${DIR}`);
process.exit(faults > 0 ? 1 : 0);
