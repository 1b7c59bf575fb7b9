/**
 * Sends a million audio frames through five nodes and prints how RSS grew after the warm-up, in MB.
 * Run by a test in a process of its own, so that nothing else counts.
 */
import { AudioFrame, Node, type NodeConfig, Pipeline } from "../../core/mod.ts";

class Halve extends Node<AudioFrame, AudioFrame> {
  process(frame: AudioFrame): AudioFrame {
    return frame.with({ data: frame.data.map((sample) => sample / 2) });
  }
}

class Later extends Node<AudioFrame, AudioFrame> {
  process(frame: AudioFrame): AudioFrame | Promise<AudioFrame> {
    return frame.timestamp % 640_000 === 0 ? Promise.resolve(frame) : frame;
  }
}

class Twice extends Node<AudioFrame, AudioFrame> {
  *process(frame: AudioFrame): Generator<AudioFrame> {
    yield frame;
  }
}

/** Sends `frames` frames through five nodes, and gives the growth of RSS in MB from a fifth of the way on. */
export async function measureGrowth(frames: number, config: NodeConfig = {}): Promise<number> {
  let index = 0;
  const source = new ReadableStream<AudioFrame>({
    async pull(controller) {
      if (index === frames) return controller.close();
      if (index % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      const data = new Float32Array(32).fill(0.5);
      controller.enqueue(new AudioFrame({ data, sampleRate: 1600, timestamp: 20_000 * index++ }));
    },
  }, { highWaterMark: 0 });
  const nodes = [
    new Halve({}, config),
    new Later({}, config),
    new Twice({}, config),
    new Halve({}, { ...config, queue: { size: 4 } }),
    new Later({}, config),
  ] as const;
  const reader = new Pipeline(nodes).run(source).getReader();
  let low = Infinity;
  let late = Infinity;
  for (let count = 1; !(await reader.read()).done; count++) {
    if (count % 1000 !== 0) continue;
    const rss = Deno.memoryUsage().rss / 1e6;
    // the garbage collector draws saw teeth: compare the lowest points
    if (count > frames * 0.2 && count <= frames * 0.4) low = Math.min(low, rss);
    if (count > frames * 0.8) late = Math.min(late, rss);
  }
  return late - low;
}

if (import.meta.main) {
  const growth = await measureGrowth(Number(Deno.args[0]));
  console.log(growth.toFixed(1));
}
