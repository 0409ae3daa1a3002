/**
 * What the page that has the bar says to it, and is told.
 *
 * Messages, their order and their content are the reference contact centre's. The browser shows the bar in frames of those pages
 * alone whose origins the tenant lists; here the bar speaks to its parent alone, and at its origin alone.
 */

import type { ReferenceEvent } from "../call/desk";

export type Said =
  /** Which events the page wants to hear of. */
  | { is: "subscribe"; events: string[] }
  | { is: "call"; number: string; mode: "audio" | "video" }
  | { is: "port" }
  | { is: "nothing" };

/** Most events of one list, and the longest name or number: a page that sends more is out of order. */
const LIST_MAX = 200;
const TEXT_MAX = 128;

const word = (value: unknown): string | null => {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text.length > 0 && text.length <= TEXT_MAX ? text : null;
};

/** Reads a message: an object, or the same as JSON text. */
export function read(data: unknown): Said {
  let said: unknown = data;
  if (typeof data === "string") {
    try {
      said = JSON.parse(data);
    } catch {
      return { is: "nothing" };
    }
  }
  if (typeof said !== "object" || said === null) {
    return { is: "nothing" };
  }
  const { name, param } = said as { name?: unknown; param?: unknown };
  switch (name) {
    case "eventpost": {
      const list = Array.isArray(param) ? param : [];
      const events = list.slice(0, LIST_MAX).map(word).filter((event) => event !== null);
      return { is: "subscribe", events };
    }
    case "callout": {
      const named = (Array.isArray(param) ? { number: param[0], mode: param[1] } : param) as
        { number?: unknown; mode?: unknown } | null | undefined;
      const number = word(named?.number);
      return number ? { is: "call", number, mode: named?.mode === "video" ? "video" : "audio" } : { is: "nothing" };
    }
    case "cordboard.port":
      return { is: "port" };
    default:
      return { is: "nothing" };
  }
}

/** An event as the page is told. */
export function told(event: ReferenceEvent): unknown {
  return {
    name: "eventpost",
    event: { content: event.content, workNo: event.workNo, eventType: event.eventType },
    message: "",
    retcode: "0",
  };
}

interface Window_ {
  parent: { postMessage: (message: unknown, origin: string) => void };
  addEventListener: (type: "message", listener: (message: MessageEvent) => void) => void;
}

export interface Hears {
  call: (number: string, mode: "audio" | "video") => void;
  joined: () => void;
  /** A key that the bar wanted to be told of, pressed in the page around. */
  pressed: (code: string) => void;
}

/** The bar's end of the line to the page that has it. */
export class Embed {
  private readonly wanted = new Set<string>();
  private port: MessagePort | null = null;
  private asked: ReadonlySet<string> = new Set();
  private hears: Hears | null = null;
  /** What was said before anybody was there to hear. */
  private early: { number: string; mode: "audio" | "video" } | null = null;

  constructor(
    private readonly place: Window_,
    /** The parent's origin; none where the bar is a page of its own. */
    private readonly origin: string | null,
  ) {
    if (origin) {
      place.addEventListener("message", (message) => this.heard(message));
    }
  }

  get embedded(): boolean {
    return this.origin !== null;
  }

  listen(hears: Hears): void {
    this.hears = hears;
    if (this.early) {
      hears.call(this.early.number, this.early.mode);
      this.early = null;
    }
    if (this.port) {
      hears.joined();
    }
  }

  /** Tells what the page has asked for, in order. */
  tell(events: readonly ReferenceEvent[]): void {
    if (this.origin) {
      for (const event of events.filter(({ eventType }) => this.wanted.has(eventType))) {
        this.place.parent.postMessage(told(event), this.origin);
      }
    }
  }

  size(size: "folded" | "open"): void {
    this.port?.postMessage({ size });
  }

  /** Which keys the bar wants to be told of while the page around has the focus. */
  keys(codes: readonly string[]): void {
    this.asked = new Set(codes);
    this.port?.postMessage({ keys: [...codes] });
  }

  /** The bar is where the agent types next. */
  focus(): void {
    this.port?.postMessage({ focus: true });
  }

  private key(data: unknown): void {
    const { key } = (typeof data === "object" && data !== null ? data : {}) as { key?: unknown };
    // who was not asked, or was asked once and is not any more, is not heard
    if (typeof key === "string" && this.asked.has(key)) {
      this.hears?.pressed(key);
    }
  }

  private heard(message: MessageEvent): void {
    if (message.source !== (this.place.parent as unknown) || message.origin !== this.origin) {
      return;
    }
    const said = read(message.data);
    switch (said.is) {
      case "subscribe":
        // who asks twice wants both: a page may have parts that do not know of each other
        said.events.forEach((event) => this.wanted.add(event));
        return;
      case "call":
        if (this.hears) {
          this.hears.call(said.number, said.mode);
        } else {
          this.early = said;
        }
        return;
      case "port":
        this.port?.close();
        this.port = message.ports[0] ?? null;
        if (this.port) {
          this.port.onmessage = (said) => this.key(said.data);
        }
        this.hears?.joined();
        return;
      case "nothing":
        return;
    }
  }
}
