/** The store, the line to the switch and the clock, tied to what Vue draws. */

import { computed, ref, shallowRef } from "vue";
import { Connection, type Line } from "./connection";
import type { Event, StreamItem } from "./model";
import { changesFigures, emptyFloor, merge, reduce, since, type Floor } from "./store";

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
let ticking = false;

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
    line: lineIs,
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

/** Follows the stream in the name of who is signed in; without `views` the events alone. */
export function follow(secret: string, views: boolean): void {
  if (!ticking) {
    ticking = true;
    window.setInterval(ticked, 250);
    window.addEventListener("online", () => connection.retryNow());
  }
  connection.open(secret, views);
}

/** Ends that, and forgets what it showed. */
export function unfollow(): void {
  connection.close();
  current = emptyFloor();
  floor.value = current;
  line.value = { is: "connecting" };
}

/** Asks the switch for something beside the floor. */
export const ask = (path: string): Promise<Response> => connection.get(path);

export const retryNow = (): void => connection.retryNow();

const hearing = new Set<(event: Event) => void>();

/** Has each event told as it comes, until the answer is called. */
export function onEvent(what: (event: Event) => void): () => void {
  hearing.add(what);
  return () => hearing.delete(what);
}

/** Whether the stream refused who is signed in. */
export const refused = ref(false);

function lineIs(told: Line): void {
  refused.value = told.is === "asking_key" && told.why === "wrong";
  line.value = told;
  document.documentElement.dataset.line = told.is;
  ticked();
}

function heard(item: StreamItem): void {
  current = reduce(current, item);
  if (current.broken) {
    connection.restart();
  } else if (item.message === "event" && changesFigures(item)) {
    connection.figuresChanged();
  }
  if (item.message === "event") {
    for (const tell of hearing) {
      tell(item);
    }
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
