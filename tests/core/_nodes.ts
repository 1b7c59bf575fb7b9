import { type Marker, Node, type NodeContext, type NodeOutput } from "../../core/mod.ts";

/** Adds to each number. */
export class Add extends Node<number, number, { by: number }> {
  process(input: number): number {
    return input + (this.options.by ?? 1);
  }
}

/** Throws at one value. */
export class ThrowAt extends Node<number, number, { at: number }> {
  process(input: number): number {
    if (input === this.options.at) throw new Error(`no ${input}`);
    return input;
  }
}

/** Waits, then gives the input. */
export class Wait extends Node<number, number, { ms: number }> {
  async process(input: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, this.options.ms ?? 1));
    return input;
  }
}

/** Gives each number as often as it says. */
export class Repeat extends Node<number, number> {
  ended = 0;
  *process(input: number): Generator<number> {
    try {
      for (let count = 0; count < input; count++) yield input;
    } finally {
      this.ended++;
    }
  }
}

/** Writes down what is called, in order. */
export class Witness extends Node<number, number> {
  readonly calls: string[] = [];
  signal: AbortSignal | undefined;
  override open({ name, signal }: NodeContext): void {
    this.signal = signal;
    this.calls.push(`open ${name}`);
  }
  process(input: number): number {
    this.calls.push(`process ${input}`);
    return input;
  }
  override onMarker(marker: Marker): void {
    this.calls.push(`marker ${marker.name}`);
  }
  override flush(): NodeOutput<number> {
    this.calls.push("flush");
  }
  override close(reason: unknown): void {
    this.calls.push(`close ${reason}`);
  }
}

/** An endless source that counts what it gave. */
export function counting(): {
  stream: ReadableStream<number>;
  produced: () => number;
  cancelled: () => unknown;
} {
  let next = 0;
  let reason: unknown = "not cancelled";
  const stream = new ReadableStream<number>({
    pull(controller) {
      controller.enqueue(next++);
    },
    cancel(why) {
      reason = why;
    },
  }, { highWaterMark: 0 });
  return { stream, produced: () => next, cancelled: () => reason };
}

/** Reads a stream up to its end or error, and gives both. */
export async function collect<T>(
  stream: ReadableStream<T>,
): Promise<{ chunks: T[]; error: unknown }> {
  const chunks: T[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
    return { chunks, error: undefined };
  } catch (error) {
    return { chunks, error };
  }
}
