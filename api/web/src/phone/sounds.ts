/** What the phone sounds like: a ring, and two short tones when the other side has hung up. Made here, without a file. */

/** Bursts of a ring: begin and length in seconds, and the pause until the next. */
const RING = { bursts: [0, 0.5], length: 0.35, every: 3, hertz: [440, 554] } as const;
const LOUD = 0.25;

export class Sounds {
  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private out: GainNode | null = null;

  /** Where it rings; the usual place if empty. */
  constructor(private readonly ringer: () => string) {}

  ring(): void {
    this.stop();
    this.burst();
    this.timer = setInterval(() => this.burst(), RING.every * 1_000);
  }

  stop(): void {
    if (this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
    // what was begun is cut off, for the agent speaks next
    this.out?.disconnect();
    this.out = null;
  }

  /** The other side is gone. */
  ended(): void {
    this.tone(480, 0, 0.12);
    this.tone(380, 0.16, 0.18);
  }

  /** A tone that says that the speaker works. */
  test(): void {
    [523, 659, 784].forEach((hertz, at) => this.tone(hertz, at * 0.22, 0.2));
  }

  close(): void {
    this.stop();
    void this.context?.close();
    this.context = null;
  }

  private burst(): void {
    for (const at of RING.bursts) {
      RING.hertz.forEach((hertz) => this.tone(hertz, at, RING.length));
    }
  }

  private tone(hertz: number, after: number, length: number): void {
    const context = this.place();
    if (!context) {
      return;
    }
    this.out ??= context.createGain();
    this.out.connect(context.destination);
    const [oscillator, gain] = [context.createOscillator(), context.createGain()];
    const begin = context.currentTime + after;
    oscillator.frequency.value = hertz;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(LOUD, begin + 0.02);
    gain.gain.setValueAtTime(LOUD, begin + length - 0.03);
    gain.gain.linearRampToValueAtTime(0, begin + length);
    oscillator.connect(gain).connect(this.out);
    oscillator.start(begin);
    oscillator.stop(begin + length);
  }

  private place(): AudioContext | null {
    if (typeof AudioContext === "undefined") {
      return null;
    }
    this.context ??= new AudioContext();
    const sink = this.context as AudioContext & { setSinkId?: (id: string) => Promise<void> };
    void sink.setSinkId?.(this.ringer()).catch(() => undefined);
    void this.context.resume();
    return this.context;
  }
}
