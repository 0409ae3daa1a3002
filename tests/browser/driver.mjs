// One browser for the pages of a test, driven by lines of JSON: {id, do, ...} in, {id, ok, value} or {id, ok, error} out.
//
// `node driver.mjs FOLDER [FLAG...]`: the modules are those of api/web.
import { readFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

const [folder, ...flags] = process.argv.slice(2);
const web = fileURLToPath(new URL("../../api/web/package.json", import.meta.url));
const modules = createRequire(web);
const { chromium } = await import(pathToFileURL(modules.resolve("playwright-core")).href).then((all) => all.default ?? all);
// Two frames: what a click began has begun its transitions by then.
const SETTLED = `(async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
  const ending = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(ending.map((one) => one.finished));
})()`;
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
const jquery = readFileSync(modules.resolve("jquery/dist/jquery.min.js"), "utf8");

const browser = await chromium.launchPersistentContext(`${folder}/browser`, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
    // what the driver gives in the switch's place has no address, and is taken for a page from far away
    "--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets", ...flags,
  ],
  ignoreHTTPSErrors: true,
  viewport: { width: 440, height: 720 },
  locale: "en-US",
});
browser.setDefaultTimeout(20_000);

// Pages that are newer than the binary: `CORDBOARD_PAGES=api/web/dist` spares a build while pages are worked on.
const newer = process.env.CORDBOARD_PAGES;
if (newer) {
  // the console's own paths are all one file
  const file = (url) => `${newer}${/^\/[a-z-]*$/.test(url.pathname) ? "/index.html" : url.pathname}`;
  // what a test serves itself, in a foreign page's place, is its own
  const there = (url) => url.port === "8080" && /^\/([a-z-]*|\w+\.html|assets\/[\w.-]+)$/.test(url.pathname) && existsSync(file(url));
  await browser.route(there, async (route) => {
    const url = new URL(route.request().url());
    if (!url.pathname.includes(".") && !route.request().isNavigationRequest()) return route.fallback();
    // what the switch says of the page beside its text, its policy above all, holds for the newer one too
    if (!file(url).endsWith(".html")) return route.fulfill({ path: file(url) });
    const { "content-length": _, "content-encoding": __, ...headers } = (await route.fetch()).headers();
    await route.fulfill({ headers, body: readFileSync(file(url), "utf8") });
  });
}

const pages = new Map();
const errors = [];
// A page that is asked for what was not there yet, or loses its switch, is told so by the browser: that is no fault of the page.
// The microphone is a tone, and what browsers do for voices takes a tone away while the other side is heard.
await browser.addInitScript(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) => {
    const audio = typeof wanted?.audio === "object" ? wanted.audio : {};
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return ask(wanted?.audio ? { ...wanted, audio: { ...audio, ...plain } } : wanted);
  };
});

const expected = /net::ERR_|the server responded with a status of (401|403|404|409|412|422|429|503)/;

function watch(page) {
  page.on("pageerror", (why) => errors.push(`page error: ${why.stack ?? why}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.test(message.text())) errors.push(message.text());
  });
  return page;
}

// The bar may be in a frame: what is asked for is looked for there.
const place = (page, frame) => (frame ? page.frameLocator(`iframe[name="${frame}"]`) : page);
// A name is a part of what the control is called, or with ^ a pattern.
const named = (what) => (what.startsWith("^") ? new RegExp(what) : what);
const within = (page, frame) => (frame ? page.frame({ name: frame }) : page.mainFrame());

// The loudest frequency that the page's phone plays, or 0; looked at until it is the wanted one.
const LISTEN = `(async (wanted) => {
  const audio = document.querySelector("audio");
  const stream = audio && audio.srcObject;
  if (!stream || audio.paused) return 0;
  const track = stream.getAudioTracks()[0];
  if (!globalThis.ear || globalThis.ear.track !== track) {
    // a context keeps what it ever listened to
    await globalThis.ear?.context.close();
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    context.createMediaStreamSource(stream).connect(analyser);
    await context.resume();
    globalThis.ear = { track, context, analyser };
  }
  const { analyser, context } = globalThis.ear;
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  let best = 0;
  bins.forEach((level, at) => { if (level > bins[best]) best = at; });
  return bins[best] > -60 ? Math.round((best * context.sampleRate) / analyser.fftSize) : 0;
})()`;

const deeds = {
  async open({ page, url, width, height }) {
    const opened = watch(await browser.newPage());
    if (width) await opened.setViewportSize({ width, height });
    pages.set(page, opened);
    await opened.goto(url);
  },
  async size({ page, width, height }) {
    await pages.get(page).setViewportSize({ width, height });
  },
  // Serves pages of another origin: a test's own, the reference's sample.
  async serve({ port, files }) {
    const served = { "/jquery-3.7.1.min.js": jquery, ...files };
    const server = createServer((request, response) => {
      const body = served[new URL(request.url, "http://x").pathname];
      const kind = request.url.endsWith(".js") ? "text/javascript" : "text/html";
      response.writeHead(body === undefined ? 404 : 200, { "content-type": `${kind}; charset=utf-8` });
      response.end(body ?? "");
    });
    await new Promise((listening) => server.listen(port, "127.0.0.1", listening));
  },
  async fill({ page, frame, what, text }) {
    await place(pages.get(page), frame).getByLabel(what, { exact: true }).fill(text);
  },
  async click({ page, frame, what }) {
    await place(pages.get(page), frame).getByRole("button", { name: named(what) }).first().click();
  },
  // What a button has the browser keep as a file: its name and its text.
  async download({ page, what }) {
    const [kept] = await Promise.all([
      pages.get(page).waitForEvent("download"),
      pages.get(page).getByRole("button", { name: named(what) }).first().click(),
    ]);
    return { name: kept.suggestedFilename(), text: readFileSync(await kept.path(), "utf8") };
  },
  async tab({ page, frame, what }) {
    await place(pages.get(page), frame).getByRole("tab", { name: what }).click();
  },
  async choose({ page, frame, what }) {
    await place(pages.get(page), frame).getByLabel(what, { exact: true }).check({ force: true });
  },
  // A page of the navigation; it is there when its title is.
  async follow({ page, what }) {
    await pages.get(page).getByRole("link", { name: what, exact: true }).first().click();
    await pages.get(page).getByRole("heading", { name: what, exact: true, level: 1 }).waitFor();
  },
  // Into the field of this selector: for forms whose labels carry more than their name.
  async type({ page, at, text }) {
    await pages.get(page).locator(at).fill(text);
  },
  // A file of this text, as if it had been chosen.
  async upload({ page, at, name, text }) {
    await pages.get(page).locator(at).setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
  },
  // An entry of a list to choose from; what is not in it is typed.
  async pick({ page, at, option }) {
    const box = pages.get(page).locator(at);
    await box.click({ force: true });
    await box.fill(option);
    const known = pages.get(page).getByRole("option", { name: option }).first();
    await known.click();
    await box.press("Escape");
  },
  // An entry of a list of the browser's own, by its label.
  async select({ page, frame, what, option }) {
    await place(pages.get(page), frame).getByLabel(what, { exact: true }).selectOption(option);
  },
  async menu({ page, of, what }) {
    await pages.get(page).getByRole("button", { name: of }).first().click();
    await pages.get(page).getByRole("menuitem", { name: what, exact: true }).first().click();
  },
  // What an authenticator shows that was given this key (RFC 6238, base32 as it is typed).
  async one_time_code({ secret }) {
    let bits = "";
    for (const letter of secret.replace(/\s/g, "")) bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
    const key = Buffer.from(bits.match(/.{8}/g).map((one) => parseInt(one, 2)));
    const moment = Buffer.alloc(8);
    moment.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
    const mac = createHmac("sha1", key).update(moment).digest();
    const at = mac[19] & 15;
    return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
  },
  // Nothing of the page is on its way any more.
  async rests({ page }) {
    await pages.get(page).waitForFunction(() => !document.querySelector(".el-skeleton"));
  },
  // A part of the page by its name.
  async finds({ page, frame, what }) {
    await place(pages.get(page), frame).getByRole("region", { name: what, exact: true }).waitFor();
  },
  async misses({ page, frame, what }) {
    await place(pages.get(page), frame).getByRole("region", { name: what, exact: true }).waitFor({ state: "hidden" });
  },
  async write({ page, text }) {
    await pages.get(page).keyboard.type(text);
  },
  async press({ page, keys }) {
    await pages.get(page).keyboard.press(keys);
  },
  async sees({ page, frame, text }) {
    await place(pages.get(page), frame).getByText(text).first().waitFor({ state: "visible" });
  },
  async loses({ page, frame, text }) {
    await place(pages.get(page), frame).getByText(text).first().waitFor({ state: "hidden" });
  },
  async reads({ page, frame }) {
    return within(pages.get(page), frame).evaluate("document.body.innerText");
  },
  async evaluate({ page, frame, expression }) {
    return within(pages.get(page), frame).evaluate(expression);
  },
  async hears({ page, frame }) {
    return within(pages.get(page), frame).evaluate(LISTEN);
  },
  async reload({ page }) {
    await pages.get(page).reload();
  },
  async offline({ on }) {
    await browser.setOffline(on);
  },
  async shot({ page, file }) {
    await pages.get(page).screenshot({ path: file });
  },
  async axe({ page, frame }) {
    const where = within(pages.get(page), frame);
    await where.evaluate(axe);
    // What fades in is judged as it stands in the end.
    await where.evaluate(SETTLED);
    const found = await where.evaluate("axe.run(document, { resultTypes: ['violations'] })");
    return found.violations
      .filter((one) => one.impact === "serious" || one.impact === "critical")
      .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} (${node.any[0]?.message})`).join(" | ")}`);
  },
  async errors() {
    return errors;
  },
  // What a page holds when its garbage is collected: figures of the browser, and objects that it counts by their kind.
  async memory({ page }) {
    const session = await browser.newCDPSession(pages.get(page));
    try {
      await session.send("Performance.enable");
      // what one pass lets go may hold what the next one finds
      for (let pass = 0; pass < 3; pass++) await session.send("HeapProfiler.collectGarbage");
      const { metrics } = await session.send("Performance.getMetrics");
      const figure = (name) => metrics.find((one) => one.name === name).value;
      const found = { heap: figure("JSHeapUsedSize"), nodes: figure("Nodes"), listeners: figure("JSEventListeners") };
      const count = async (kind, of) => {
        const objectGroup = "memory";
        const { result } = await session.send("Runtime.evaluate", { expression: `${kind}.prototype`, objectGroup });
        const { objects } = await session.send("Runtime.queryObjects", { prototypeObjectId: result.objectId, objectGroup });
        const functionDeclaration = `function () { return this.filter(${of}).length; }`;
        const asked = { objectId: objects.objectId, functionDeclaration, returnByValue: true };
        const counted = await session.send("Runtime.callFunctionOn", asked);
        await session.send("Runtime.releaseObjectGroup", { objectGroup });
        return counted.result.value;
      };
      found.connections = await count("RTCPeerConnection", "() => true");
      found.open = await count("RTCPeerConnection", "(one) => one.connectionState !== 'closed'");
      found.tracks = await count("MediaStreamTrack", "(one) => one.readyState === 'live'");
      found.contexts = await count("AudioContext", "(one) => one.state !== 'closed'");
      return found;
    } finally {
      await session.detach();
    }
  },
};

console.log(JSON.stringify({ id: 0, ok: true, value: existsSync(web) }));
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  try {
    const value = await deeds[order.do](order);
    console.log(JSON.stringify({ id: order.id, ok: true, value: value ?? null }));
  } catch (why) {
    const page = pages.get(order.page);
    const text = await page?.locator("body").innerText({ timeout: 1_000 }).catch(() => "");
    console.log(JSON.stringify({ id: order.id, ok: false, error: `${why.message ?? why}\n${text ?? ""}\n${errors.join("\n")}` }));
  }
}
await browser.close();
