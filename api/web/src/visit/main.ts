/**
 * `web-call.js`: a button on anybody's page that calls a queue of click-to-call.
 *
 * One file, under a name that stays, for a script element of a page of another origin. It puts `CordboardCall` there; see
 * docs/integrators.md. Invariant: it decides nothing; what happens goes into `step`, and what comes out is done.
 */

import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { UA } from "jssip/lib/UA";
import { hearWhatIsKnown, teachSha256 } from "../phone/challenge";
import { micFault } from "../phone/devices";
import { IDLE, isOn, step, type Call, type Deed, type Happened } from "./machine";
import { said, words, type Words } from "./words";

/** What the switch gives for one call (`POST /api/v1/click-calls`): the integrator's server passes it on as it is. */
export interface Given {
  call: string;
  uri: string;
  to: string;
  username: string;
  password: string;
  path: string;
  video: boolean;
}

export interface Options {
  /** The switch, as `https://switch.example.com`. */
  server: string;
  /** Asks the integrator's own server for a call. */
  ask: () => Promise<Given>;
  /** Is told whenever something has changed. */
  told?: (call: Call, words: string) => void;
  /** The language; that of the page if none is named. */
  language?: string;
}

/** Candidates are waited for so long: the switch learns the page's other addresses by its checks. */
const GATHER_MS = 100;
/** The switch has to be reached within this time. */
const REACH_MS = 15_000;
const VOICE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** A visitor's call. */
export class VisitorCall {
  private call: Call = IDLE;
  private agent: UA | null = null;
  private session: RTCSession | null = null;
  private stream: MediaStream | null = null;
  private reach: ReturnType<typeof setTimeout> | null = null;
  /** Which call what is waited for is for: an answer that comes after the end finds another. */
  private turn = 0;
  readonly audio = document.createElement("audio");
  /** What is seen of who answers, if he is filmed. */
  readonly video = document.createElement("video");
  readonly words: Words;
  private readonly leaves = (): void => this.hangUp();

  constructor(private readonly given: Options) {
    this.words = words([given.language, document.documentElement.lang, navigator.language]);
    this.audio.autoplay = true;
    this.video.autoplay = true;
    this.video.playsInline = true;
    this.video.hidden = true;
  }

  get state(): Call {
    return this.call;
  }

  /** Calls. It has to be done by a press: browsers let nothing be heard else. */
  start(): void {
    this.happens({ what: "press" });
  }

  hangUp(): void {
    this.happens({ what: "hang_up" });
  }

  mute(on: boolean): void {
    this.happens({ what: "mute", on });
  }

  /** Presses keys, for a menu that a queue sends its callers to. */
  keys(keys: string): void {
    if (this.call.is === "up") {
      this.session?.sendDTMF(keys);
    }
  }

  private happens(happened: Happened): void {
    const [next, deeds] = step(this.call, happened);
    const changed = next !== this.call;
    this.call = next;
    deeds.forEach((deed) => this.does(deed));
    if (changed) {
      this.given.told?.(next, said(next, this.words));
    }
  }

  private does(deed: Deed): void {
    switch (deed.do) {
      case "ask_microphone":
        this.turn += 1;
        addEventListener("pagehide", this.leaves);
        return void this.asksMicrophone(this.turn);
      case "ask_and_call":
        return void this.asksAndCalls(this.turn);
      case "mute":
        return deed.on ? this.session?.mute({ audio: true }) : this.session?.unmute({ audio: true });
      case "hang_up":
        return this.hangsUp();
      case "release":
        return this.release();
    }
  }

  private async asksMicrophone(turn: number): Promise<void> {
    try {
      if (!navigator.mediaDevices) {
        throw new DOMException("no secure context", "SecurityError");
      }
      const stream = await navigator.mediaDevices.getUserMedia({ audio: VOICE, video: false });
      if (turn !== this.turn || !isOn(this.call)) {
        stream.getTracks().forEach((track) => track.stop());
        return;
      }
      this.stream = stream;
      this.happens({ what: "microphone" });
    } catch (why) {
      if (turn === this.turn) {
        this.happens({ what: "no_microphone", fault: micFault(why, isSecureContext) });
      }
    }
  }

  private async asksAndCalls(turn: number): Promise<void> {
    let given: Given;
    try {
      given = await this.given.ask();
    } catch {
      if (turn === this.turn) {
        this.happens({ what: "not_given" });
      }
      return;
    }
    if (given.video) {
      await this.films(turn);
    }
    if (turn === this.turn && isOn(this.call)) {
      this.dials(given);
    }
  }

  /** Without a camera, or without leave to use it, he is heard alone. */
  private async films(turn: number): Promise<void> {
    try {
      const [track] = (await navigator.mediaDevices.getUserMedia({ audio: false, video: true })).getVideoTracks();
      if (track && turn === this.turn && this.stream) {
        this.stream.addTrack(track);
      } else {
        track?.stop();
      }
    } catch {
      // then there is no picture
    }
  }

  private dials(given: Given): void {
    const socket = new JsSIP.WebSocketInterface(this.given.server.replace(/^http/, "ws").replace(/\/$/, "") + given.path);
    hearWhatIsKnown(socket);
    teachSha256();
    const agent = new JsSIP.UA({
      sockets: [socket],
      uri: given.uri,
      authorization_user: given.username,
      password: given.password,
      register: false,
      session_timers: false,
      user_agent: "Cordboard web call",
    });
    this.agent = agent;
    this.reach = setTimeout(() => this.happens({ what: "unreachable" }), REACH_MS);
    agent.once("connected", () => this.invites(agent, given));
    agent.start();
  }

  private invites(agent: UA, given: Given): void {
    if (this.reach !== null) {
      clearTimeout(this.reach);
    }
    if (this.agent !== agent || !this.stream) {
      return;
    }
    const session = agent.call(given.to, { mediaStream: this.stream, pcConfig: { iceServers: [] } });
    this.session = session;
    const ours = (happened: Happened) => (): void => {
      if (this.session === session) {
        this.happens(happened);
      }
    };
    if (session.connection) {
      this.listens(session.connection, ours({ what: "lost" }));
    }
    session.on("icecandidate", ({ ready }: { ready: () => void }) => void setTimeout(ready, GATHER_MS));
    session.on("progress", ours({ what: "rings" }));
    session.on("confirmed", ours({ what: "up" }));
    session.on("ended", ours({ what: "ended" }));
    session.on("failed", ({ message }: { message?: unknown }) => {
      const status = (message as { status_code?: number } | null | undefined)?.status_code ?? 0;
      ours({ what: "refused", status })();
    });
  }

  private listens(connection: RTCPeerConnection, lost: () => void): void {
    connection.addEventListener("track", ({ track }) => {
      const element = track.kind === "video" ? this.video : this.audio;
      element.srcObject = new MediaStream([track]);
      this.video.hidden = this.video.srcObject === null;
      // a press began the call, so nothing keeps it from being heard; what does after all is the browser's to say
      element.play().catch(() => {});
    });
    connection.addEventListener("connectionstatechange", () => {
      if (connection.connectionState === "failed") {
        lost();
      }
    });
  }

  private hangsUp(): void {
    const { session } = this;
    this.session = null;
    if (session && !session.isEnded()) {
      session.terminate();
    }
  }

  private release(): void {
    const { agent } = this;
    removeEventListener("pagehide", this.leaves);
    if (this.reach !== null) {
      clearTimeout(this.reach);
    }
    this.turn += 1;
    this.session = null;
    this.agent = null;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.audio.srcObject = null;
    this.video.srcObject = null;
    this.video.hidden = true;
    // it lets the last BYE go out first
    agent?.stop();
  }
}

/** Puts a button, and what is said beside it, into a place of the page. */
function mount(place: HTMLElement, options: Options): VisitorCall {
  const make = (what: string): HTMLButtonElement => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `cordboard-${what}`;
    return button;
  };
  const [press, mute, end] = [make("call"), make("mute"), make("hang-up")];
  const state = document.createElement("p");
  state.className = "cordboard-state";
  state.setAttribute("role", "status");
  const shows = (now: Call, text: string): void => {
    press.hidden = isOn(now);
    end.hidden = !isOn(now);
    mute.hidden = now.is !== "up";
    mute.textContent = now.is === "up" && now.muted ? call.words.unmute : call.words.mute;
    mute.setAttribute("aria-pressed", String(now.is === "up" && now.muted));
    state.textContent = text;
    place.dataset["state"] = now.is;
    options.told?.(now, text);
  };
  const call = new VisitorCall({ ...options, told: shows });
  press.textContent = call.words.call;
  end.textContent = call.words.hang_up;
  press.onclick = () => call.start();
  mute.onclick = () => call.mute(!(call.state.is === "up" && call.state.muted));
  end.onclick = () => call.hangUp();
  place.replaceChildren(press, mute, end, state, call.video, call.audio);
  shows(IDLE, "");
  return call;
}

declare global {
  interface Window {
    CordboardCall: { mount: typeof mount; VisitorCall: typeof VisitorCall };
  }
}
window.CordboardCall = { mount, VisitorCall };
