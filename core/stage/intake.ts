import { EMPTY, END, type Inlet } from "./ends.ts";

/** What an intake needs of its stage. */
export interface IntakeOwner {
  /** Whether somebody wants what the stage gives. */
  readonly wanted: boolean;
  /** Whether the stage has ended. */
  readonly ended: boolean;
  /** Works on a chunk. */
  write(chunk: unknown): void | Promise<void>;
  /** No chunk follows. */
  close(): void;
  /** The source failed, or the work did. */
  stop(reason: unknown): void;
}

/** What a stage reads for itself, instead of being written to: a chunk for each that somebody wants. */
export interface Intake {
  /** Takes chunks while they are wanted and there are any. */
  fetch(): void;
  /** Lets go of the source. */
  cancel(reason: unknown): void;
}

/** Reads a stream. */
export class StreamIntake implements Intake {
  readonly #owner: IntakeOwner;
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  readonly #onCancelFailure: (error: unknown) => void;
  /** Whether a chunk is on its way. */
  #busy = false;

  /** @param onCancelFailure told when the source cannot be cancelled */
  constructor(
    owner: IntakeOwner,
    source: ReadableStream<unknown>,
    onCancelFailure: (error: unknown) => void,
  ) {
    this.#owner = owner;
    this.#reader = source.getReader();
    this.#onCancelFailure = onCancelFailure;
  }

  fetch(): void {
    if (this.#busy || this.#owner.ended) return;
    this.#busy = true;
    this.#reader.read().then(this.#fetched, this.#stop);
  }

  cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch((error) => {
      if (error !== reason) this.#onCancelFailure(error);
    });
  }

  readonly #fetched = ({ done, value }: ReadableStreamReadResult<unknown>): void => {
    if (this.#owner.ended) return;
    if (done) return this.#owner.close();
    const work = this.#owner.write(value);
    if (work === undefined) this.#next();
    else work.then(this.#next, this.#stop);
  };

  readonly #next = (): void => {
    this.#busy = false;
    if (this.#owner.wanted) this.fetch();
  };

  readonly #stop = (error: unknown): void => this.#owner.stop(error);
}

/** Takes what an inlet has, all of it in one turn while the work is done at once. */
export class InletIntake implements Intake {
  readonly #owner: IntakeOwner;
  readonly #inlet: Inlet;
  #busy = false;

  constructor(owner: IntakeOwner, inlet: Inlet) {
    this.#owner = owner;
    this.#inlet = inlet;
  }

  fetch(): void {
    if (this.#busy) return;
    this.#busy = true;
    const owner = this.#owner;
    while (owner.wanted && !owner.ended) {
      const chunk = this.#inlet.take();
      if (chunk === EMPTY) break;
      if (chunk === END) return owner.close();
      const work = owner.write(chunk);
      if (work === undefined) continue;
      work.then(this.#next, this.#stop);
      return;
    }
    this.#busy = false;
  }

  cancel(): void {
    // its owner knows
  }

  readonly #next = (): void => {
    this.#busy = false;
    this.fetch();
  };

  readonly #stop = (error: unknown): void => this.#owner.stop(error);
}
