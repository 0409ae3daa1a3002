/**
 * What the pictures show: the demo with a whole house around it. Chats, call-backs, people, keys, tables, somebody who is shut out, and
 * an agent at his page, all made over the API as a person or a program would make them.
 */

import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TREE = fileURLToPath(new URL("../../../..", import.meta.url));
const FLOWS = join(TREE, "ivr-flows");
const LISTENS = "http://127.0.0.1:8080";
/** The demo's own limits are for people who look on; pictures want a full house soon. */
const CALLERS = 20;
const UP_MS = 20_000;
const FULL_MS = 120_000;
const LOOK_MS = 250;
const CRM = "https://crm.example.com";
const SCANNER = "127.0.0.9";
/** The agent whose pages are shown. */
export const AGENT = "1001";
/** The agent whose bar is shown: his phone is the browser's. */
export const DESK = "1012";

const later = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until it is so; what is not so in time is said. */
async function until(what, ms, is) {
  for (const end = Date.now() + ms; Date.now() < end; await later(LOOK_MS)) {
    if (await is().catch(() => false)) {
      return;
    }
  }
  throw new Error(`${what}: not within ${ms / 1000} s`);
}

/** Starts the demo of a binary, in a folder of its own; whoever shows nobody else's machine shows no ban, so this one does. */
export async function start(binary) {
  const dir = mkdtempSync(join(tmpdir(), "cordboard-shots-"));
  mkdirSync(join(dir, "config"));
  const config = readFileSync(join(TREE, "config/demo.toml"), "utf8")
    .replaceAll("../ivr-flows/prompts\"", `${FLOWS}/prompts"\nlibraries = "${FLOWS}/lib"`)
    .replaceAll("../ivr-flows", FLOWS)
    .replace(/^\[sip\]\n.*\n/m, '$&\n[sip.guard]\nallow = ["127.0.0.1"]\n')
    .concat(`\n[webhooks]\nallowed = ["${CRM}"]\n`);
  writeFileSync(join(dir, "config/demo.toml"), config);
  const running = spawn(binary, ["demo", "--config", "config/demo.toml", "--callers", String(CALLERS)], { cwd: dir, stdio: "ignore" });
  let left = false;
  running.on("exit", () => (left = true));
  await until(`${binary} to be up`, UP_MS, async () => {
    if (left) {
      throw new Error("it has stopped");
    }
    return (await fetch(`${LISTENS}/healthz`)).ok;
  });
  const stop = async () => {
    const over = left || new Promise((ended) => running.on("exit", ended));
    running.kill("SIGTERM");
    await over;
    rmSync(dir, { recursive: true, force: true });
  };
  return { url: LISTENS, stop };
}

/** Asks the switch; a refusal ends it all, for a picture of half a house is of no use. */
function asker(url, key) {
  return async (method, path, body, token) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : { "x-api-key": key }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok && answer.status !== 409) {
      throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    }
    return text === "" ? null : JSON.parse(text);
  };
}

/** Makes it, or says it anew where it is there already. */
const OBJECTS = [
  ["accounts", "1011", { password: "a phone of 1011" }],
  ["queues", "web", { display: "Web", kind: "multimedia", ring: "10m", on_nobody: "wait" }],
  ["agents", "1011", { display: "Cleo", kind: "all_round", queues: ["web"], chats: 3, auto_sign_in: true }],
  ["skill-groups", "front", { queues: ["sales", "support"] }],
  ["number-groups", "berlin", { numbers: ["+493055501", "+493055502"] }],
  ["trunks", "abroad", { gateway: "127.0.0.1:5095", max_calls: 30 }],
  ["ways-out", "abroad", { prefix: "+", trunks: [{ trunk: "abroad" }] }],
  ["trunks", "city", { gateway: "127.0.0.1:5096", peers: ["127.0.0.1:5096"], options_every: "0s" }],
  ["ways-out", "city", { prefix: "+4930", trunks: [{ trunk: "city" }] }],
  ["accounts", "1012", { password: "a phone of 1012" }],
  ["queues", "front", { display: "Front desk", on_nobody: "wait", wrap_up: "10m", wrap_up_codes: ["sold", "lost"] }],
  ["agents", "1012", { display: "Dora Stein", queues: ["front"] }],
  ["numbers", "508", { access_code: "508", to: "queue:front" }],
  ["tenants", "acme", { display: "Acme House", domains: ["acme.example"] }],
];
const TALKS = [
  ["Ann Miller", "Where is my order?", "Good morning. It left our house yesterday and is with you by Wednesday.", "Thanks! Can it be left with the neighbour?"],
  ["李梅", "我的订单什么时候发货？", "您好，今天下午发货，预计后天送达。", "好的，谢谢。"],
  ["Omar Haddad", "أين طلبي؟", "طلبك في الطريق ويصل غدًا.", "شكرًا جزيلًا"],
  ["Sofía Ruiz", "¿Puedo cambiar la talla?"],
];

async function chats(ask) {
  await ask("POST", "/api/v1/agents/1011/ready");
  for (const [at, [name, asks, answer, thanks]] of TALKS.entries()) {
    const { chat, token } = await ask("POST", "/api/v1/chats", { queue: "web", customer: { id: `c-${17 + at}`, name }, data: { order: 4711 + at, page: "/orders" }, text: asks });
    if (!answer) {
      continue;
    }
    const path = `/api/v1/chats/${chat}`;
    await until(`${name} to be offered`, UP_MS, async () => (await ask("GET", path)).offered_to.length > 0);
    await ask("POST", `${path}/accept`, { by: "1011" });
    await ask("POST", `${path}/messages`, { by: "1011", text: answer });
    await ask("POST", "/api/v1/chat/messages", { text: thanks }, token);
    if (at === 0) {
      await ask("POST", `${path}/close`, { by: "1011" });
      await ask("POST", "/api/v1/chat/survey", { score: 9, comment: "quick" }, token);
    }
  }
}

function scan() {
  return new Promise((done, failed) => {
    const socket = createSocket("udp4");
    socket.on("error", failed);
    socket.bind(5099, SCANNER, () => {
      const head = `Via: SIP/2.0/UDP ${SCANNER}:5099;branch=z9hG4bKs\r\nMax-Forwards: 70\r\nFrom: <sip:100@1.1.1.1>;tag=s\r\nTo: <sip:100@127.0.0.1>\r\n`;
      socket.send(`OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n${head}Call-ID: s\r\nCSeq: 1 OPTIONS\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n`, 5060, "127.0.0.1", () => socket.close(done));
    });
  });
}

/** Fills the house; gives the sessions of the agent and of a person. */
export async function fill(url, key) {
  const ask = asker(url, key);
  for (const [kind, name, document] of OBJECTS) {
    const there = await fetch(`${url}/api/v1/config/${kind}/${name}`, { headers: { "x-api-key": key } });
    if (there.status === 404) {
      await ask("PUT", `/api/v1/config/${kind}/${name}`, document);
    }
  }
  for (const [row, cells] of [["+4930123", { name: "Ada Lovelace", level: "gold", queue: "sales" }], ["+4930124", { name: "Charles Babbage", level: "silver", queue: "support" }]]) {
    await ask("PUT", `/api/v1/tables/vip/${encodeURIComponent(row)}`, cells);
  }
  for (const [number, queue, note] of [["+493012345", "sales", "asks for an offer"], ["+493067890", "support", ""]]) {
    await ask("POST", "/api/v1/callbacks", { number, queue, note });
  }
  const month = { begins: Date.now(), ends: Date.now() + 30 * 86_400_000, workdays: [{ from: 540, to: 1080 }], holidays: [] };
  for (const [name, kind] of [["Autumn renewals", "predictive"], ["Back to customers", "pre_occupied"]]) {
    const made = await ask("POST", "/api/v1/campaigns", { ...month, name, kind, goal: { queue: "sales" } });
    const numbers = Array.from({ length: 40 }, (_, n) => ({ called: `+4930555${String(n).padStart(3, "0")}`, session: `row ${n + 1}` }));
    await ask("POST", `/api/v1/campaigns/${made.id}/numbers`, { numbers });
    await ask("POST", `/api/v1/campaigns/${made.id}/pause`, {});
  }
  // A house may be filled again: passwords that were used are not taken twice.
  const [given, own] = ["given", "own"].map((which) => `${which} Picture ${Date.now()}`);
  for (const [name, display, roles] of [["li", "Li Wei", ["supervisor"]], ["moreau", "Camille Moreau", ["administrator", "auditor"]]]) {
    await ask("POST", "/api/v1/users", { name, display, roles, password: given });
  }
  const { password: renewed } = await ask("POST", "/api/v1/users/moreau/password");
  const person = await ask("POST", "/api/v1/session", { user: "moreau", password: renewed, new_password: own });
  await ask("POST", "/api/v1/keys", { name: "wallboard", scopes: ["queues:read", "agents:read"] });
  // A switch that was there before may allow no such address; then its page is shown without one.
  await ask("POST", "/api/v1/webhooks", { name: "crm", url: `${CRM}/events`, kinds: ["call_ended"] }).catch((why) => console.log(`no webhook: ${why.message}`));
  await chats(ask);
  const signIn = async (name) => {
    await ask("PUT", `/api/v1/agents/${name}/password`, { password: given });
    const { token } = await ask("POST", `/api/v1/agents/${name}/sign-in`, { password: given, new_password: own, take_over: true, where: "desk 7" });
    await ask("POST", `/api/v1/agents/${name}/ready`, {}, token);
    return { kind: "agent", name, agent: name, tenant: "default", token };
  };
  const [agent, desk] = [await signIn(AGENT), await signIn(DESK)];
  await until("calls to be over", FULL_MS, async () => {
    const { items } = await ask("GET", "/api/v1/recordings");
    return items.length > 2 && (await ask("GET", `/api/v1/agents/${AGENT}/calls`, undefined, agent.token)).items.length > 1;
  });
  return { agent, desk, person: { kind: "person", token: person.token, csrf: person.csrf, password: own } };
}

/** Somebody is shut out: for a minute, so that it is done shortly before it is shown. */
export async function shutOut(url, key) {
  await scan();
  await until("a ban", UP_MS, async () => (await asker(url, key)("GET", "/api/v1/bans")).items.length > 0);
}

/** Waits until the agent talks to somebody. */
export const inCall = (url, key) => until(`${AGENT} to talk`, FULL_MS, async () => (await asker(url, key)("GET", `/api/v1/agents/${AGENT}/desk`)).status === "talking");
