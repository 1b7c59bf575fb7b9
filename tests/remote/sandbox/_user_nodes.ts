import { AudioFrame, type Marker, Node, Pipeline, RemoteExecutor } from "@remotemedia/sdk";
import { separator } from "../objects/_demo/separator.ts";

/** Doubles a number. */
export class Double extends Node<number, number> {
  static override readonly module = import.meta.url;
  process(input: number): number {
    return 2 * input;
  }
}

/** Gives each number as often as it says. */
export class Repeat extends Node<number, number> {
  static override readonly module = import.meta.url;
  *process(input: number): Generator<number> {
    for (let count = 0; count < input; count++) yield input;
  }
}

/** Sums up, and tells at the end. */
export class Sum extends Node<number, number> {
  static override readonly module = import.meta.url;
  #sum = 0;
  process(input: number): undefined {
    this.#sum += input;
  }
  override flush(): number {
    return this.#sum;
  }
  override snapshot(): unknown {
    return this.#sum;
  }
  override restore(state: unknown): void {
    this.#sum = state as number;
  }
}

/** Throws at one number. */
export class ThrowAt extends Node<number, number, { at: number }> {
  static override readonly module = import.meta.url;
  static override readonly stateless = true;
  process(input: number): number {
    if (input === this.options.at) throw new RangeError(`no ${input}`);
    return input;
  }
}

/** Takes its time. */
export class Slow extends Node<number, number, { ms: number }> {
  static override readonly module = import.meta.url;
  async process(input: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, this.options.ms ?? 5));
    return input;
  }
}

/** Gives numbers for ever. */
export class Endless extends Node<number, number> {
  static override readonly module = import.meta.url;
  *process(): Generator<number> {
    for (let count = 0;; count++) yield count;
  }
}

/** Makes audio louder. */
export class Gain extends Node<AudioFrame, AudioFrame, { by: number }> {
  static override readonly module = import.meta.url;
  process(frame: AudioFrame): AudioFrame {
    const { by = 1 } = this.options;
    return new AudioFrame({ ...frame, data: frame.data.map((sample) => sample * by) });
  }
}

/** Tells what it sees and is. */
export class Witness extends Node<unknown, string> {
  static override readonly module = import.meta.url;
  #markers = 0;
  process(input: unknown): string {
    return [input instanceof AudioFrame, this instanceof Node, this.#markers].join(separator);
  }
  override onMarker(_marker: Marker): void {
    this.#markers++;
  }
}

/** Tells the number of its process. */
export class Pid extends Node<unknown, number> {
  static override readonly module = import.meta.url;
  process(): number {
    return Deno.pid;
  }
}

/** Never gives the processor back. */
export class Spin extends Node<number, number> {
  static override readonly module = import.meta.url;
  process(): number {
    for (;;);
  }
}

/** Is not where its type says. */
class Hidden extends Node<number, number> {
  static override readonly module = import.meta.url;
  process(input: number): number {
    return input;
  }
}

/** Makes a node of a class that is not exported. */
export function hidden(config: ConstructorParameters<typeof Hidden>[1]): Hidden {
  return new Hidden({}, config);
}

// what only runs where this is the main program may use all of the SDK
if (import.meta.main) {
  await using executor = new RemoteExecutor({ port: 50_052 });
  const pipeline = new Pipeline([new Double({}, { executor })]);
  console.log(await Array.fromAsync(pipeline.run([1, 2, 3])));
}
