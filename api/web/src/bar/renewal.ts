/**
 * A session in cookies goes on under other cookies before it ends.
 *
 * Invariant: nothing is renewed in the midst of a call or of an order; what fails is tried again, for the session is not over yet.
 */

/** The phone's password is asked for more often: the session is in use, and its end is far away. */
export const RENEW_MS = 20 * 60_000;
/** Who is busy is asked again so soon, and a switch that is away too. */
export const AGAIN_MS = 30_000;

interface Given {
  /** Has the session go on. */
  renew: () => Promise<void>;
  busy: () => boolean;
}

export class Renewal {
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly given: Given) {}

  start(): void {
    this.after(RENEW_MS);
  }

  stop(): void {
    if (this.timer !== null) {
      clearTimeout(this.timer);
    }
    this.timer = null;
  }

  private after(ms: number): void {
    this.stop();
    this.timer = setTimeout(() => void this.due(), ms);
  }

  private async due(): Promise<void> {
    const mine = this.timer;
    let wait = AGAIN_MS;
    if (!this.given.busy()) {
      wait = await this.given.renew().then(() => RENEW_MS, () => AGAIN_MS);
    }
    // who was stopped meanwhile stays so
    if (this.timer === mine && mine !== null) {
      this.after(wait);
    }
  }
}
