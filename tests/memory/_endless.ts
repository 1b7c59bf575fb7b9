/**
 * Sends audio frames through five nodes and prints how RSS grew after the warm-up, in MB: of
 * the process that grew more, where the nodes run on a server. Run by a test in a process of its own, so that nothing else counts.
 *
 * `deno run -A _endless.ts local|remote|serve [FRAMES]`
 */
import { AudioFrame, Node, type NodeConfig, Pipeline } from "../../core/mod.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { serve } from "../../remote/server/mod.ts";

/**
 * With gigabytes to fill, V8 lets garbage lie: it is collected before each look, so that what is held shows. And its
 * space for what is new doubles once, some time in the first million frames, by 32 MB at the most: it is told its
 * size instead.
 */
export const COLLECTS = "--v8-flags=--expose-gc,--max-semi-space-size=16";

const { gc } = globalThis as unknown as { gc(): void };

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

/**
 * Sends `frames` frames through five nodes, and gives how much the process of `pids` that grew most has grown
 * after two fifths, in MB.
 */
async function measureGrowth(
  frames: number,
  pids: readonly number[],
  config: NodeConfig = {},
): Promise<number> {
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
  const early = pids.map(() => Infinity);
  const late = pids.map(() => Infinity);
  let count = 0;
  for (; !(await reader.read()).done; count++) {
    if (count % 40_000 !== 0) continue;
    gc();
    const lowest = count <= frames * 0.6 ? early : late;
    if (count <= frames * 0.4 || (count > frames * 0.6 && count <= frames * 0.8)) continue;
    for (const [index, pid] of pids.entries()) lowest[index] = Math.min(lowest[index]!, rssOf(pid));
  }
  if (count !== frames) throw new Error(`${count} of ${frames} frames came through`);
  if (Deno.env.has("DEBUG")) console.error({ early, late });
  return Math.max(...pids.map((_, index) => late[index]! - early[index]!));
}

function rssOf(pid: number): number {
  const pages = Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1];
  return Number(pages) * 4096 / 1e6;
}

async function growthWithServer(frames: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", COLLECTS, new URL(import.meta.url).pathname, "serve"],
    stdout: "piped",
  }).spawn();
  try {
    const { value } = await child.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
    await using executor = new RemoteExecutor({ host: "127.0.0.1", port: Number(value) });
    return await measureGrowth(frames, [Deno.pid, child.pid], { executor });
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

if (import.meta.main) {
  const [place, frames = "1000000"] = Deno.args;
  if (place === "serve") {
    const { port } = await serve({ port: 0, nodes: [Halve, Later, Twice] });
    console.log(port);
    setInterval(gc, 1000);
  } else {
    const growth = place === "local"
      ? await measureGrowth(Number(frames), [Deno.pid])
      : await growthWithServer(Number(frames));
    console.log(growth.toFixed(1));
  }
}
