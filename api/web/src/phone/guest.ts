/**
 * A call that measures the way to the switch, of a page that has no phone registered: what the switch gives for it is good for this one
 * call, and opens nothing else.
 */

import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import { hearWhatIsKnown, teachSha256 } from "./challenge";
import { count, figures, judge, WINDOW, type Counts, type Figures, type Verdict } from "./network";
import { audioOnly, GATHER_MS, socketAt } from "./phone";

/** What the switch gives for it. */
export interface GuestPass {
  uri: string;
  to: string;
  username: string;
  password: string;
  path: string;
}

export interface Measured {
  figures: Figures;
  verdict: Verdict;
}

const COUNT_MS = 1_000;
/** The switch has to be reached, and sound has to come, within this time. */
const REACH_MS = 15_000;

/** Calls, counts for `forMs` from when there is a way, and hangs up. Null if there is none, or `stop` says so before. */
export function measure(pass: GuestPass, forMs: number, stop: AbortSignal): Promise<Measured | null> {
  const socket = new JsSIP.WebSocketInterface(socketAt(pass.path));
  hearWhatIsKnown(socket);
  teachSha256();
  const agent = new JsSIP.UA({
    sockets: [socket],
    uri: pass.uri,
    authorization_user: pass.username,
    password: pass.password,
    register: false,
    session_timers: false,
    user_agent: "Cordboard page",
  });
  let counts: Counts[] = [];
  let counting: ReturnType<typeof setInterval> | null = null;
  let session: RTCSession | null = null;
  return new Promise((answer) => {
    const over = (): void => {
      clearTimeout(limit);
      stop.removeEventListener("abort", over);
      if (counting !== null) {
        clearInterval(counting);
      }
      const made = figures(counts);
      answer(made && { figures: made, verdict: judge(made) });
      if (session && !session.isEnded()) {
        session.terminate();
      }
      agent.stop();
    };
    let limit = setTimeout(over, REACH_MS);
    const measures = (connection: RTCPeerConnection): void => {
      if (counting !== null) {
        return;
      }
      clearTimeout(limit);
      limit = setTimeout(over, forMs);
      counting = setInterval(() => {
        void connection.getStats().then((stats) => {
          counts = [...counts, count(stats.values(), performance.now())].slice(-WINDOW - 1);
        });
      }, COUNT_MS);
    };
    const listens = (connection: RTCPeerConnection): void => {
      // what nobody plays is not decoded, and nothing is counted of it
      connection.addEventListener("track", ({ track }) => {
        const audio = new Audio();
        audio.muted = true;
        audio.srcObject = new MediaStream([track]);
        void audio.play().catch(() => undefined);
      });
      connection.addEventListener("connectionstatechange", () => {
        if (connection.connectionState === "connected") {
          measures(connection);
        }
      });
    };
    stop.addEventListener("abort", over, { once: true });
    agent.once("connected", () => {
      if (stop.aborted) {
        return over();
      }
      session = agent.call(pass.to, audioOnly());
      if (session.connection) {
        listens(session.connection);
      }
      session.on("peerconnection", ({ peerconnection }: { peerconnection: RTCPeerConnection }) => listens(peerconnection));
      session.on("icecandidate", ({ ready }: { ready: () => void }) => void setTimeout(ready, GATHER_MS));
      session.on("failed", over);
      session.on("ended", over);
    });
    agent.start();
  });
}
