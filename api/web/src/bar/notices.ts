/**
 * Calls that come while the tab is hidden, shown by the machine itself. The browser is asked for its leave when the agent presses a
 * button, and never by itself; what he chose is kept for the browser.
 */

import { ref, type Ref } from "vue";
import { isOwn, party, type DeskCall } from "../call/desk";
import { say } from "./words";

/** Whether calls are shown; `ask`: nobody has said yet; `refused`: the browser was told not to; `unable`: it cannot. */
export type Notices = "unable" | "refused" | "ask" | "on" | "off";

export interface Notice {
  close: () => void;
}

/** What it takes of browser and machine. */
export interface Machine {
  /** None where the page cannot show anything. */
  permission: () => NotificationPermission | "none";
  request: () => Promise<NotificationPermission>;
  show: (title: string, options: NotificationOptions, pressed: () => void) => Notice;
  hidden: () => boolean;
  chosen: () => string | null;
  choose: (what: "on" | "off") => void;
  /** Brings the tab to the front. */
  come: () => void;
}

export class Notifier {
  readonly state: Ref<Notices>;
  private notice: Notice | null = null;
  /** The call that rings: it is told of once, when it comes. */
  private call: string | null = null;

  constructor(private readonly machine: Machine) {
    this.state = ref(this.look());
  }

  /** He has pressed the button: only now is the browser asked. */
  async wish(): Promise<void> {
    if (this.machine.permission() === "default") {
      await this.machine.request();
    }
    // who closes the browser's question has not answered it, and may be asked again
    if (this.machine.permission() === "granted") {
      this.machine.choose("on");
    }
    this.state.value = this.look();
  }

  /** He wants none. */
  decline(): void {
    this.machine.choose("off");
    this.hide();
    this.state.value = this.look();
  }

  /** What rings now, at every look at the desk, and what its queue is called; nothing rings if null. */
  rings(call: DeskCall | null, queue = call?.queue?.name ?? ""): void {
    if (call?.call === this.call) {
      return;
    }
    this.hide();
    this.call = call?.call ?? null;
    // what he has dialled himself rings at his own phone first: he knows of it
    if (call === null || isOwn(call) || !this.machine.hidden() || this.look() !== "on") {
      return;
    }
    this.tell(call, queue);
  }

  /** He looks at the page; he may have been at the browser's settings. */
  seen(): void {
    this.hide();
    this.state.value = this.look();
  }

  private hide(): void {
    this.notice?.close();
    this.notice = null;
  }

  private tell(call: DeskCall, queue: string): void {
    const { user, display } = party(call);
    const who = [display === user ? "" : display, user].filter(Boolean).join(" ") || say("call.hidden");
    const body = queue ? `${who}\n${say("call.queue", { queue })}` : who;
    try {
      // two tabs of one agent show the same call once
      this.notice = this.machine.show(say("call.rings"), { body, tag: call.call, requireInteraction: true }, () => {
        this.machine.come();
        this.hide();
      });
    } catch {
      // a browser of a small device has notices for programs that were installed alone: the tab's title still says it
    }
  }

  private look(): Notices {
    switch (this.machine.permission()) {
      case "none":
        return "unable";
      case "denied":
        return "refused";
      case "default":
        return this.machine.chosen() === "off" ? "off" : "ask";
      default: {
        const chosen = this.machine.chosen();
        return chosen === "on" || chosen === "off" ? chosen : "ask";
      }
    }
  }
}

const KEPT = "cordboard.notices";

/** This browser. A frame of another page's shows nothing itself: that page hears of calls, and can. */
export const browser: Machine = {
  permission: () => (typeof Notification === "undefined" || document.documentElement.classList.contains("embedded") ? "none" : Notification.permission),
  request: () => Notification.requestPermission(),
  show: (title, options, pressed) => {
    const { lang, dir } = document.documentElement;
    const shown = new Notification(title, { ...options, lang, dir: dir === "rtl" ? "rtl" : "ltr" });
    shown.onclick = pressed;
    return shown;
  },
  hidden: () => document.visibilityState === "hidden",
  chosen: () => {
    try {
      return localStorage.getItem(KEPT);
    } catch {
      return null;
    }
  },
  choose: (what) => {
    try {
      localStorage.setItem(KEPT, what);
    } catch {
      // it is asked for again at the next visit
    }
  },
  come: () => {
    // at the workbench the bar is a frame of the page that is to come to the front
    window.parent.focus();
    window.focus();
  },
};
