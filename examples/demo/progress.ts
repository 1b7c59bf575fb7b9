/** A line that says how far the work is: redrawn in place on a terminal, nothing elsewhere. */
export class Progress {
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  readonly #seconds: () => number;
  readonly #started = performance.now();

  /** @param seconds how much was read, in seconds */
  constructor(seconds: () => number) {
    this.#seconds = seconds;
    if (!Deno.stdout.isTerminal()) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), 100);
  }

  /** Takes the line away. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    write("\r\x1b[K");
  }

  #draw(): void {
    const seconds = this.#seconds();
    const speed = 1000 * seconds / (performance.now() - this.#started);
    write(`\r\x1b[K  heard ${seconds.toFixed(1)} s, ${speed.toFixed(0)} x real time`);
  }
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
