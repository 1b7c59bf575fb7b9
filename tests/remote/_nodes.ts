import { type AudioFrame, Node, type NodeContext } from "../../core/mod.ts";
import { AudioBuffer } from "../../nodes/audio/audio_buffer.ts";
import { AudioTransform } from "../../nodes/audio/audio_transform.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";

/** Doubles numbers, a little later. */
export class SlowDouble extends Node<number, number> {
  static override readonly stateless = true;
  async process(input: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return 2 * input;
  }
}

/** Throws on one number. */
export class FailOn extends Node<number, number, { number: number }> {
  static override readonly stateless = true;
  process(input: number): number {
    if (input === this.options.number) {
      throw new RangeError("not that one", { cause: new Error("deeper") });
    }
    return input;
  }
}

/** Gives the sum of all at the end. */
export class Total extends Node<number, number> {
  #total = 0;
  process(input: number): undefined {
    this.#total += input;
  }
  override flush(): number {
    return this.#total;
  }
}

/** Numbers what passes; the count can move. */
export class Numbered extends Node<unknown, unknown> {
  #count = 0;
  process(input: unknown): unknown {
    return { count: this.#count++, input };
  }
  override onInterrupt(): unknown {
    return { interruptedAt: this.#count };
  }
  override snapshot(): unknown {
    return this.#count;
  }
  override restore(state: number): void {
    this.#count = state;
  }
}

/** Puts a running number and the sum of all samples so far on each frame; both can move. */
export class Tally extends Node<AudioFrame, AudioFrame> {
  #count = 0;
  #sum = 0;
  process(frame: AudioFrame): AudioFrame {
    this.#sum += frame.data[0] ?? 0;
    return frame.with({ metadata: { ...frame.metadata, tally: this.#count++, sum: this.#sum } });
  }
  override snapshot(): unknown {
    return { count: this.#count, sum: this.#sum };
  }
  override restore({ count, sum }: { count: number; sum: number }): void {
    this.#count = count;
    this.#sum = sum;
  }
}

/** Numbers what passes; the count cannot move. */
export class Stuck extends Node<number, number> {
  #count = 0;
  process(input: number): number {
    return input + this.#count++;
  }
}

/** Gives numbers without end for each input. */
export class Endless extends Node<unknown, number> {
  static produced = 0;
  *process(): Generator<number> {
    while (true) yield Endless.produced++;
  }
}

/** Waits until the stream is cancelled. */
export class Waits extends Node<unknown, unknown> {
  static events: string[] = [];
  #signal!: AbortSignal;
  override open({ signal }: NodeContext): void {
    Waits.events.push("open");
    this.#signal = signal;
  }
  async process(): Promise<undefined> {
    await new Promise((resolve) => this.#signal.addEventListener("abort", resolve));
    Waits.events.push("aborted");
  }
  override close(): void {
    Waits.events.push("close");
  }
}

/** Gives the mean square of each frame. */
export class Power extends Node<AudioFrame, number> {
  process({ data }: AudioFrame): number {
    return data.reduce((sum, sample) => sum + sample * sample, 0) / data.length;
  }
}

/** Gives what cannot travel. */
export class GivesFunction extends Node<unknown, unknown> {
  process(): unknown {
    return { callback: () => 1 };
  }
}

/** What test servers offer. */
export const testNodes = [
  PassThrough,
  SlowDouble,
  FailOn,
  Total,
  Numbered,
  Stuck,
  Tally,
  AudioBuffer,
  AudioTransform,
  Endless,
  Waits,
  Power,
  GivesFunction,
] as const;
