/** The store, the line to the switch and the clock, tied to what Vue draws. */

import { computed, ref, shallowRef } from "vue";
import { Connection, type Line } from "./connection";
import type { StreamItem } from "./model";
import { changesFigures, emptyFloor, merge, reduce, since, type Floor } from "./store";

/** A key that was typed, for this tab. */
const KEPT = "cordboard.key";
/** Messages that come within this time are drawn together. */
const DRAW_MS = 50;
/** Clocks that differ by less are taken for equal. */
const SKEW_MS = 1_500;

/** What is drawn. */
export const floor = shallowRef<Floor>(emptyFloor());
export const line = ref<Line>({ is: "connecting" });
/** The switch's time, by the second; it stands still while the line is lost. */
export const now = ref(Date.now());
/** Our own clock, which goes on. */
export const tick = ref(Date.now());
export const stale = computed(() => line.value.is === "lost");
/** Whether the switch ended the stream on purpose. */
export const stopping = computed(() => floor.value.closing === "shutdown");

let current = floor.value;
let drawing = false;
let skew = 0;
/** Whether the key in use was given by the switch to its own page: it may be another after a restart. */
let given = false;
/** Whether the key in use has opened the stream. */
let lived = false;

const connection = new Connection(
  {
    fetch: (path, init) => fetch(path, init),
    socket: (path, protocols) => {
      const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
      return new WebSocket(`${base}${path}`, protocols);
    },
    now: () => Date.now(),
    random: () => Math.random(),
    later: (what, ms) => window.setTimeout(what, ms),
    cancel: (id) => window.clearTimeout(id),
  },
  {
    line: (told) => void lineIs(told),
    item: heard,
    views: (queues, agents, wall) => {
      current = merge(current, queues, agents, wall);
      draw();
    },
    skew: (ms) => {
      skew = Math.abs(ms) < SKEW_MS ? 0 : ms;
    },
    since: () => since(current),
  },
);

export async function start(): Promise<void> {
  window.setInterval(ticked, 250);
  window.addEventListener("online", () => connection.retryNow());
  const kept = sessionStorage.getItem(KEPT);
  if (kept !== null) {
    connection.open(kept);
  } else {
    await askPage("none");
  }
}

/** A key was typed. */
export function useKey(key: string): void {
  given = false;
  lived = false;
  sessionStorage.setItem(KEPT, key);
  connection.open(key);
}

/** Forgets the key, and what it showed. */
export function forgetKey(): void {
  sessionStorage.removeItem(KEPT);
  given = false;
  clear();
  connection.askKey("none");
}

/** Asks the switch for something beside the floor. */
export const ask = (path: string): Promise<Response> => connection.get(path);

export const retryNow = (): void => connection.retryNow();

function clear(): void {
  current = emptyFloor();
  draw();
}

async function lineIs(told: Line): Promise<void> {
  if (told.is === "asking_key" && told.why === "wrong") {
    sessionStorage.removeItem(KEPT);
    clear();
    if (given && lived) {
      lived = false;
      await askPage("wrong");
      return;
    }
  }
  lived ||= told.is === "live";
  line.value = told;
  document.documentElement.dataset.line = told.is;
  ticked();
}

/** The demo gives its page the key; elsewhere a person does. */
async function askPage(otherwise: "none" | "wrong"): Promise<void> {
  try {
    const response = await fetch("/page-key", { cache: "no-store" });
    const { key } = response.ok ? ((await response.json()) as { key?: string }) : {};
    if (key) {
      given = true;
      connection.open(key);
      return;
    }
  } catch {
    // No switch answers: the form says what is needed, and its key finds out whether it is back.
  }
  connection.askKey(otherwise);
}

function heard(item: StreamItem): void {
  current = reduce(current, item);
  if (current.broken) {
    connection.restart();
  } else if (item.message === "event" && changesFigures(item)) {
    connection.figuresChanged();
  }
  draw();
}

function draw(): void {
  if (!drawing) {
    drawing = true;
    window.setTimeout(() => {
      drawing = false;
      floor.value = current;
      ticked();
    }, DRAW_MS);
  }
}

/** Moves the drawn clocks on when a new second begins. */
function ticked(): void {
  const second = Math.floor(Date.now() / 1000) * 1000;
  if (second !== tick.value) {
    tick.value = second;
  }
  if (line.value.is !== "lost") {
    const theirs = Math.floor((Date.now() + skew) / 1000) * 1000;
    if (theirs !== now.value) {
      now.value = theirs;
    }
  }
}
