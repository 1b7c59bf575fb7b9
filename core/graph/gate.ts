import { Marker } from "../frames/marker.ts";

/** The way into a graph: one chunk at a time, and none while an interrupt is under way. */
export class Gate {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
  #readableSide!: ReadableStreamDefaultController<unknown>;
  #writableSide!: WritableStreamDefaultController;
  #wake: (() => void) | undefined;
  #demand = false;
  #shut = false;
  #over = false;
  #written = 0;
  #taken = 0;
  #dropUntil = 0;

  constructor() {
    this.readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#readableSide = controller;
      },
      pull: () => {
        this.#demand = true;
        this.#wake?.();
      },
      cancel: (reason) => {
        this.#over = true;
        this.#writableSide.error(reason);
        this.#wake?.();
      },
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#writableSide = controller;
        controller.signal.addEventListener("abort", () => this.fail(controller.signal.reason), {
          once: true,
        });
      },
      write: (chunk) => this.#write(chunk, ++this.#taken),
      close: () => this.#close(),
    }, {
      highWaterMark: 1,
      size: () => {
        this.#written++;
        return 1;
      },
    });
  }

  /** Drops what was written so far, and lets nothing through before {@linkcode Gate.open}. */
  shut(): void {
    this.#shut = true;
    this.#dropUntil = this.#written;
    this.#wake?.();
  }

  /** Lets chunks through again. */
  open(): void {
    this.#shut = false;
    this.#wake?.();
  }

  /** Ends it from outside: both ends fail with `reason`. */
  fail(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#writableSide.error(reason);
    this.#readableSide.error(reason);
    this.#wake?.();
  }

  async #write(chunk: unknown, number: number): Promise<void> {
    const isMarker = chunk instanceof Marker;
    while (!this.#over && (this.#shut || !this.#demand)) {
      if (number <= this.#dropUntil && !isMarker) return;
      await this.#change();
    }
    if (this.#over || (number <= this.#dropUntil && !isMarker)) return;
    this.#demand = false;
    this.#readableSide.enqueue(chunk);
  }

  async #close(): Promise<void> {
    while (this.#shut && !this.#over) await this.#change();
    if (this.#over) return;
    this.#over = true;
    this.#readableSide.close();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }
}
