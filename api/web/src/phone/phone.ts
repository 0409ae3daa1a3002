/**
 * The phone of a page: JsSIP and WebRTC, told what to do by the machine.
 *
 * Invariant: it decides nothing. Everything that JsSIP, the browser and the agent do is put into `step`, and what comes out is done.
 */

import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { UA } from "jssip/lib/UA";
import { hearWhatIsKnown, teachSha256 } from "./challenge";
import { chosen, constraints, microphone, micFault, playAt, stored, type MicFault } from "./devices";
import { OFF, step, type Deed, type Happened, type Kept, type Phone } from "./machine";
import { count, figures, judge, WINDOW, type Counts, type Figures, type Verdict } from "./network";
import { Sounds } from "./sounds";

/** What the switch gives for a phone: an account with a password that is good for a while. */
export interface Pass {
  uri: string;
  username: string;
  password: string;
  lasts: number;
  path: string;
}

/** How the call sounds now. */
export interface Quality {
  figures: Figures;
  verdict: Verdict;
  levelIn: number;
  levelOut: number;
}

export interface Told {
  phone: (phone: Phone) => void;
  quality: (quality: Quality | null) => void;
  fault: (fault: MicFault) => void;
}

interface Given {
  /** Asks the switch for a password. */
  pass: () => Promise<Pass>;
  told: Told;
}

type Incoming = { originator: string; session: RTCSession };

/** Candidates are waited for so long: the switch learns the page's other addresses by its checks. */
export const GATHER_MS = 100;
/** How often what the browser counts is looked at. */
const COUNT_MS = 1_000;
/** Another way of a call within this time after a move is the move's own. */
const SETTLED_MS = 10_000;
/** A password is asked for anew after so much of its time. */
const RENEW = 0.6;
const REGISTER_S = 120;
const KEPT = "cordboard.call";

/** What is kept lasts as long as the tab. */
export function keptCall(): Kept | null {
  try {
    const read = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Kept | null;
    return read && typeof read.with === "string" && typeof read.replaces === "string" ? read : null;
  } catch {
    return null;
  }
}

function keep(kept: Kept | null): void {
  try {
    if (kept) {
      sessionStorage.setItem(KEPT, JSON.stringify(kept));
    } else {
      sessionStorage.removeItem(KEPT);
    }
  } catch {
    // without storage a reload ends the call, and nothing else
  }
}

export class PagePhone {
  private phone: Phone = OFF;
  private agent: UA | null = null;
  private session: RTCSession | null = null;
  private renewal: ReturnType<typeof setTimeout> | null = null;
  private counting: ReturnType<typeof setInterval> | null = null;
  private counts: Counts[] = [];
  private movedAt = -Infinity;
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private readonly audio = document.createElement("audio");
  readonly sounds = new Sounds(() => chosen().ringer);
  private readonly online = (): void => this.happens({ what: "network" });
  private readonly plugged = (): void => void this.deviceChosen();

  constructor(private readonly given: Given) {
    this.audio.autoplay = true;
  }

  /** Registers, and takes up the call that the page was in before it was loaded anew. */
  async start(): Promise<void> {
    const pass = await this.given.pass();
    this.stop();
    this.agent = this.makeAgent(pass);
    this.renewAfter(pass.lasts);
    document.body.append(this.audio);
    addEventListener("online", this.online);
    navigator.mediaDevices?.addEventListener("devicechange", this.plugged);
    this.happens({ what: "start", kept: keptCall() });
  }

  /** Lets the call go and registers no longer. */
  stop(): void {
    if (!this.agent) {
      return;
    }
    this.happens({ what: "stop" });
    removeEventListener("online", this.online);
    navigator.mediaDevices?.removeEventListener("devicechange", this.plugged);
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    if (this.renewal !== null) {
      clearTimeout(this.renewal);
    }
    this.endCounting();
    this.sounds.stop();
    this.audio.remove();
    this.agent = null;
  }

  happens(happened: Happened): void {
    const [next, deeds] = step(this.phone, happened, Date.now());
    this.phone = next;
    for (const deed of deeds) {
      this.does(deed);
    }
    this.given.told.phone(this.phone);
  }

  /** The next call that comes is answered without a ring. */
  expect(): void {
    this.happens({ what: "expect" });
  }

  answer(): void {
    this.happens({ what: "answer" });
  }

  reject(): void {
    this.happens({ what: "reject" });
  }

  /** Calls the number that plays back what it hears. */
  check(number: string): void {
    this.happens({ what: "check", number });
  }

  /** Another microphone or speaker holds for the call that is up. */
  async deviceChosen(): Promise<void> {
    const choice = chosen();
    await playAt(this.audio, choice.speaker);
    const sender = this.session?.connection?.getSenders().find(({ track }) => track?.kind === "audio");
    if (!sender) {
      return;
    }
    try {
      const [track] = (await microphone(choice)).getAudioTracks();
      if (track) {
        sender.track?.stop();
        await sender.replaceTrack(track);
      }
    } catch (why) {
      this.given.told.fault(micFault(why, isSecureContext));
    }
  }

  private makeAgent(pass: Pass): UA {
    const socket = new JsSIP.WebSocketInterface(socketAt(pass.path));
    hearWhatIsKnown(socket);
    teachSha256();
    const instance = stored("cordboard.instance") ?? crypto.randomUUID();
    stored("cordboard.instance", instance);
    const agent = new JsSIP.UA({
      sockets: [socket],
      uri: pass.uri,
      authorization_user: pass.username,
      password: pass.password,
      register_expires: REGISTER_S,
      session_timers: false,
      user_agent: "Cordboard page",
      instance_id: instance,
    });
    agent.on("connected", () => this.happens({ what: "connected" }));
    agent.on("disconnected", () => this.happens({ what: "disconnected" }));
    agent.on("registered", () => this.happens({ what: "registered" }));
    agent.on("registrationFailed", ({ response }: { response?: { status_code?: number } }) => {
      this.happens({ what: "refused", code: response?.status_code ?? 0 });
    });
    agent.on("newRTCSession", (event: Incoming) => this.begins(event));
    return agent;
  }

  private begins({ originator, session }: Incoming): void {
    if (this.session && originator === "remote") {
      session.terminate({ status_code: 486 });
      return;
    }
    this.session = session;
    if (session.connection) {
      this.listens(session.connection);
    }
    session.on("peerconnection", ({ peerconnection }: { peerconnection: RTCPeerConnection }) => this.listens(peerconnection));
    session.on("icecandidate", ({ ready }: { ready: () => void }) => void setTimeout(ready, GATHER_MS));
    session.on("getusermediafailed", (why: unknown) => this.given.told.fault(micFault(why, isSecureContext)));
    session.on("confirmed", () => this.happens({ what: "up", kept: dialogOf(session) }));
    const over = ({ originator: by }: { originator: string }): void => {
      if (this.session === session) {
        this.session = null;
        this.endCounting();
        this.audio.srcObject = null;
        this.happens({ what: "over", local: by === "local" });
      }
    };
    session.on("ended", over);
    session.on("failed", over);
    if (originator === "remote") {
      this.happens({ what: "invite", from: session.remote_identity.uri.user });
    }
  }

  private listens(connection: RTCPeerConnection): void {
    connection.addEventListener("track", ({ track }) => {
      this.audio.srcObject = new MediaStream([track]);
      void playAt(this.audio, chosen().speaker);
    });
    connection.addEventListener("iceconnectionstatechange", () => {
      if (connection.iceConnectionState === "disconnected" && this.phone.call.is === "up") {
        this.happens({ what: "network" });
      }
    });
    connection.addEventListener("connectionstatechange", () => {
      if (connection.connectionState === "connected") {
        this.follows(connection);
        this.counts_(connection);
      }
    });
  }

  /** Audio has gone to another network by itself: signalling is to follow. */
  private follows(connection: RTCPeerConnection): void {
    const ice = connection.getReceivers()[0]?.transport?.iceTransport;
    if (!ice) {
      return;
    }
    const here = (): string | undefined => ice.getSelectedCandidatePair?.()?.local?.address ?? undefined;
    let last = here();
    ice.onselectedcandidatepairchange = () => {
      if (last !== undefined && last !== here() && performance.now() - this.movedAt > SETTLED_MS) {
        this.happens({ what: "network" });
      }
      last = here();
    };
  }

  private counts_(connection: RTCPeerConnection): void {
    this.endCounting();
    this.counting = setInterval(() => void this.counted(connection), COUNT_MS);
  }

  private async counted(connection: RTCPeerConnection): Promise<void> {
    const stats = await connection.getStats();
    if (this.counting === null) {
      return;
    }
    const now = count(stats.values(), performance.now());
    this.counts = [...this.counts, now].slice(-WINDOW - 1);
    const made = figures(this.counts);
    this.given.told.quality(
      made && { figures: made, verdict: judge(made), levelIn: now.levelIn, levelOut: now.levelOut },
    );
  }

  private endCounting(): void {
    if (this.counting !== null) {
      clearInterval(this.counting);
    }
    this.counting = null;
    this.counts = [];
    this.given.told.quality(null);
  }

  private renewAfter(seconds: number): void {
    if (this.renewal !== null) {
      clearTimeout(this.renewal);
    }
    this.renewal = setTimeout(() => void this.renew(), seconds * RENEW * 1_000);
  }

  private async renew(): Promise<void> {
    try {
      const pass = await this.given.pass();
      this.agent?.set("authorization_user", pass.username);
      this.agent?.set("password", pass.password);
      this.renewAfter(pass.lasts);
    } catch {
      // the session is over, or the switch is away: who notices that tells the agent
      this.renewAfter(30);
    }
  }

  private does(deed: Deed): void {
    switch (deed.do) {
      case "connect":
        return this.connects();
      case "connect_anew":
        this.movedAt = performance.now();
        this.transport()?.disconnect();
        this.transport()?.connect();
        return;
      case "disconnect":
        this.agent?.stop();
        return;
      case "later": {
        const timer = setTimeout(() => {
          this.timers.delete(timer);
          this.happens({ what: deed.what });
        }, deed.ms);
        this.timers.add(timer);
        return;
      }
      case "renew_password":
        void this.renew();
        return;
      case "answer":
        this.session?.answer(audioOnly());
        return;
      case "reject":
        this.session?.terminate({ status_code: deed.status });
        return;
      case "hang_up":
        this.session?.terminate();
        return;
      case "call":
        this.agent?.call(deed.to, { ...audioOnly(), ...(deed.replaces ? { extraHeaders: [`Replaces: ${deed.replaces}`] } : {}) });
        return;
      case "restart_ice":
        return this.restarts();
      case "keep":
        return keep(deed.kept);
      case "forget":
        return keep(null);
      case "ring":
        return this.sounds.ring();
      case "stop_ring":
        return this.sounds.stop();
      case "end_tone":
        return this.sounds.ended();
    }
  }

  private connects(): void {
    if (!this.agent) {
      return;
    }
    if (this.agent.isConnected()) {
      this.agent.register();
    } else if (this.phone.line.is === "connecting") {
      this.agent.start();
    } else {
      this.transport()?.connect();
    }
  }

  private restarts(): void {
    const begun = this.session?.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () =>
      this.happens({ what: "restarted" }),
    );
    if (begun === false) {
      this.happens({ what: "restart_refused" });
    }
  }

  private transport(): { connect(): void; disconnect(): void } | null {
    return (this.agent as unknown as { transport: { connect(): void; disconnect(): void } } | null)?.transport ?? null;
  }
}

/** The switch's WebSocket that speaks SIP. */
export function socketAt(path: string): string {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;
}

/** The microphone that was chosen, and no camera. */
export function audioOnly(): { mediaConstraints: MediaStreamConstraints; pcConfig: RTCConfiguration } {
  return { mediaConstraints: { audio: constraints(chosen()), video: false }, pcConfig: { iceServers: [] } };
}

/** JsSIP gives what a dialog is known by to nobody; a page that is loaded anew needs it (RFC 3891). */
function dialogOf(session: RTCSession): Kept | null {
  const dialog = (session as unknown as { _dialog?: { id: Record<string, string> } })._dialog;
  if (!dialog) {
    return null;
  }
  const { call_id, local_tag, remote_tag } = dialog.id;
  return {
    with: session.remote_identity.uri.toString(),
    replaces: `${call_id};to-tag=${remote_tag};from-tag=${local_tag}`,
    since: Date.now(),
  };
}
