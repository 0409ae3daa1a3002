/** Microphones, speakers, and what was chosen; what keeps a page from them, in words that say what to do. */

export interface Choice {
  microphone: string;
  speaker: string;
  /** Where it rings: a loudspeaker, so that who has put the headset down hears it. */
  ringer: string;
}

export const USUAL: Choice = { microphone: "", speaker: "", ringer: "" };
const KEPT = "cordboard.devices";

export interface Devices {
  microphones: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

/** What is wrong with a microphone: the words are in the messages under `check.microphone`. */
export type MicFault = "insecure" | "refused" | "none" | "busy" | "gone" | "unknown";

export function readChoice(text: string | null): Choice {
  try {
    const read: unknown = JSON.parse(text ?? "{}");
    const given = (typeof read === "object" && read !== null ? read : {}) as Record<string, unknown>;
    const word = (name: string): string => (typeof given[name] === "string" ? (given[name] as string) : "");
    return { microphone: word("microphone"), speaker: word("speaker"), ringer: word("ringer") };
  } catch {
    return USUAL;
  }
}

/** Storage is not there in a frame whose browser keeps none for third parties. */
export function stored(name: string, value?: string | null): string | null {
  try {
    if (value === null) {
      localStorage.removeItem(name);
    } else if (value !== undefined) {
      localStorage.setItem(name, value);
    }
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export const chosen = (): Choice => readChoice(stored(KEPT));
export function choose(choice: Choice): void {
  stored(KEPT, JSON.stringify(choice));
}

export async function list(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  // the entries "default" and "communications" say again what stands below them
  const of = (kind: string): MediaDeviceInfo[] =>
    all.filter((device) => device.kind === kind && device.deviceId !== "communications");
  return { microphones: of("audioinput"), speakers: of("audiooutput") };
}

export function constraints(choice: Choice): MediaTrackConstraints {
  const usual: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  // not `exact`: a headset that was pulled out must not keep a call from being answered
  return choice.microphone ? { ...usual, deviceId: { ideal: choice.microphone } } : usual;
}

export function micFault(why: unknown, secure: boolean): MicFault {
  if (!secure) {
    return "insecure";
  }
  const name = why instanceof Error || why instanceof DOMException ? why.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "DevicesNotFoundError":
      return "none";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    case "OverconstrainedError":
      return "gone";
    default:
      return "unknown";
  }
}

export async function microphone(choice: Choice): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new DOMException("no secure context", "SecurityError");
  }
  return navigator.mediaDevices.getUserMedia({ audio: constraints(choice), video: false });
}

/** Has an element play where it is chosen; browsers without the choice play at the usual place. */
export async function playAt(element: HTMLMediaElement, speaker: string): Promise<void> {
  if (typeof element.setSinkId === "function") {
    // a speaker that is gone plays at the usual place
    await element.setSinkId(speaker).catch(() => element.setSinkId(""));
  }
}

/** The loudness of a stream from 0 to 1, each time it is asked for. */
export class Meter {
  private readonly context: AudioContext;
  private readonly analyser: AnalyserNode;
  private readonly samples: Float32Array<ArrayBuffer>;

  constructor(stream: MediaStream) {
    this.context = new AudioContext();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.context.createMediaStreamSource(stream).connect(this.analyser);
    void this.context.resume();
  }

  level(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    return loudness(this.samples);
  }

  close(): void {
    void this.context.close();
  }
}

/** RMS as a share of a range of 60 dB: what the ear would draw. */
export function loudness(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < samples.length; at += 1) {
    const sample = samples[at] ?? 0;
    sum += sample * sample;
  }
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return rms <= 0 ? 0 : Math.min(1, Math.max(0, 1 + Math.log10(rms) / 3));
}
