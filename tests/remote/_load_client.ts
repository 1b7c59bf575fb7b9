/**
 * A load generator in a process of its own: sessions that each send a frame of 20 ms every 20 ms and read
 * what comes back. Prints one line `ready`, starts at the time that it is told on stdin, and prints a
 * {@linkcode LoadPart} at the end.
 *
 * @module
 */
import { AudioFrame, Pipeline } from "../../core/mod.ts";
import { AudioGain } from "../../nodes/audio/audio_gain.ts";
import { RemoteExecutor } from "../../remote/mod.ts";

/** What one generator saw. */
export interface LoadPart {
  /** Frames that were sent, came back, and came back other than they should. */
  sent: number;
  received: number;
  wrong: number;
  /** Frames by latency, in steps of 0.1 ms, the last for all above. */
  latencies: [step: number, count: number][];
}

/** Samples of 20 ms at 16 kHz, and µs of a frame. */
const [SAMPLES, FRAME_US] = [320, 20_000];

/** Latencies are counted in steps of 0.1 ms up to 20 s. */
const STEPS = 200_000;

const [port, sessions, seconds] = Deno.args.map(Number) as [number, number, number];
const frames = Math.round(seconds * 1e6 / FRAME_US);
const executor = new RemoteExecutor({ port });
const latencies = new Uint32Array(STEPS);
let [sent, received, wrong, startedAt] = [0, 0, 0, 0];

class Talker {
  readonly #writer: WritableStreamDefaultWriter<AudioFrame>;
  readonly #reader: ReadableStreamDefaultReader<AudioFrame>;
  readonly #phase: number;
  next = 0;

  /** @param phase when its first frame is due, in ms from the start */
  constructor(phase: number) {
    const pipeline = new Pipeline([new AudioGain({ gainDb: 0 }, { executor })]);
    this.#writer = pipeline.writable.getWriter();
    this.#reader = pipeline.readable.getReader();
    this.#phase = phase;
  }

  /** When a frame is to be sent. */
  due(index: number): number {
    return startedAt + this.#phase + index * FRAME_US / 1_000;
  }

  send(index: number): void {
    const data = new Float32Array(SAMPLES).fill(index / 4096);
    const frame = new AudioFrame({ data, sampleRate: 16_000, timestamp: index * FRAME_US });
    void this.#writer.write(frame).catch(() => {}); // the reader is told the same
  }

  /** One frame there and back, so that the session runs. */
  async warm(): Promise<void> {
    this.send(0);
    await this.#reader.read();
  }

  async read(): Promise<void> {
    for (let index = 0; index < frames; index++) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      const step = Math.floor(10 * (performance.now() - this.due(index)));
      latencies[Math.max(0, Math.min(STEPS - 1, step))]!++;
      received++;
      const { timestamp, data } = value;
      const isRight = timestamp === index * FRAME_US && data.length === SAMPLES &&
        data[0] === index / 4096 && data[SAMPLES - 1] === index / 4096;
      if (!isRight) wrong++;
    }
    await this.#writer.close();
    if (!(await this.#reader.read()).done) wrong++;
  }
}

/** Sends whatever is due, and sleeps until something is. */
async function sendAll(talkers: readonly Talker[]): Promise<void> {
  const end = talkers.at(-1)!.due(frames);
  while (true) {
    const now = performance.now();
    for (const talker of talkers) {
      while (talker.next < frames && talker.due(talker.next) <= now) {
        talker.send(talker.next++);
        sent++;
      }
    }
    if (now >= end) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const talkers = Array.from({ length: sessions }, (_, index) => new Talker(20 * index / sessions));
await Promise.all(talkers.map((talker) => talker.warm()));
console.log("ready");
await Deno.stdin.read(new Uint8Array(16));
startedAt = performance.now() + 100;
await Promise.all([sendAll(talkers), ...talkers.map((talker) => talker.read())]);
const part: LoadPart = {
  sent,
  received,
  wrong,
  latencies: [...latencies.entries()].filter(([, count]) => count > 0),
};
console.log(JSON.stringify(part));
await executor[Symbol.asyncDispose]();
