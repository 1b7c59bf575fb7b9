/** Signals that end a run, each with its exit code. */
const codes = { SIGINT: 130, SIGTERM: 143 } as const;

/** A source that may end early. */
export interface Guarded {
  source: ReadableStream<unknown>;
  /** Whether a signal ended it. */
  isCut(): boolean;
}

/** The first signal ends the inputs, and what is on its way comes out. The second ends all at once. */
export class Interrupts implements Disposable {
  readonly #abort = new AbortController();
  readonly #ends = new Set<() => void>();
  readonly #listeners: Disposable[] = [];
  #code: number | undefined;

  constructor() {
    for (const name of Object.keys(codes) as (keyof typeof codes)[]) {
      const onSignal = () => {
        if (this.#code !== undefined) this.#abort.abort(new Error("interrupted"));
        this.#code ??= codes[name];
        for (const end of [...this.#ends]) end();
      };
      Deno.addSignalListener(name, onSignal);
      this.#listeners.push({
        [Symbol.dispose]: () => Deno.removeSignalListener(name, onSignal),
      });
    }
  }

  /** The exit code that tells of the first signal; `undefined` before it. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Aborted by the second signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The source, until the first signal. @param saw told of each chunk */
  guard(source: ReadableStream<unknown>, saw: (chunk: unknown) => void): Guarded {
    const reader = source.getReader();
    let isOver = false;
    let isCut = false;
    let end = () => {};
    let forget = (): unknown => undefined;
    const guarded = new ReadableStream({
      start: (controller) => {
        const cut = () => {
          isCut = true;
          end();
        };
        forget = () => this.#ends.delete(cut);
        end = () => {
          isOver = true;
          forget();
          controller.close();
          // what the source says to that cannot change what was read from it
          void reader.cancel("interrupted").catch(() => {});
        };
        if (this.#code !== undefined) cut(); // came while the input was opened
        else this.#ends.add(cut);
      },
      async pull(controller) {
        const { done, value } = await reader.read().catch((error) => {
          forget();
          throw error;
        });
        if (isOver) return;
        if (done) return end();
        saw(value);
        controller.enqueue(value);
      },
      cancel(reason) {
        forget();
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
    return { source: guarded, isCut: () => isCut };
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener[Symbol.dispose]();
  }
}
