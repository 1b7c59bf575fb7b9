import assert from "node:assert/strict";
import { AudioFrame, Pipeline } from "../../core/mod.ts";
import { AudioBuffer } from "../../nodes/audio/audio_buffer.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { type ChildServer, startChild } from "./_child_server.ts";
import { Tally } from "./_nodes.ts";

/** Samples of a frame that goes in, and of one that comes out. */
const [FRAME_IN, FRAME_OUT] = [320, 480];

/** What a storm did. */
export interface StormReport {
  /** Processes that were killed while they ran the session. */
  kills: number;
  /** The longest that a consumer waited for an output whose inputs were all given, in ms. */
  longestStallMs: number;
}

/** Frames of 20 ms at 16 kHz, each with its number in it. */
function numberedFrames(count: number): AudioFrame[] {
  return Array.from({ length: count }, (_, index) =>
    new AudioFrame({
      data: new Float32Array(FRAME_IN).fill(index),
      sampleRate: 16_000,
      timestamp: index * 20_000,
      metadata: { index },
    }));
}

function line(executor?: RemoteExecutor): Pipeline<readonly [Tally, AudioBuffer, Tally]> {
  const config = executor === undefined ? {} : { executor };
  return new Pipeline([
    new Tally({}, config),
    new AudioBuffer({ frameSize: FRAME_OUT }, config),
    new Tally({}, config),
  ]);
}

/**
 * Streams numbered frames through a stateful segment while the process that serves it is killed again and
 * again at random moments, and checks that what comes out is what comes out here without any of that. The
 * source never gets further than the kills have: every kill hits the one stream.
 *
 * @param options how many frames, how often to kill, and the wait before each frame
 */
export async function killStorm(
  { frames, kills, paceMs }: { frames: number; kills: number; paceMs: number },
): Promise<StormReport> {
  const inputs = numberedFrames(frames);
  const expected = await Array.fromAsync(line().run(inputs));
  const children: ChildServer[] = await Promise.all([startChild(), startChild()]);
  const ports = children.map(({ port }) => port);
  await using executor = new RemoteExecutor({
    endpoints: ports.map((port) => ({ port })),
    retry: { attempts: 50, minDelayMs: 20, maxDelayMs: 500 },
  });
  let killed = 0;
  let given = 0;
  let streaming = true;
  const storm = (async () => {
    while (streaming && killed < kills) {
      await sleep(Math.random() * 2 * paceMs * frames / kills);
      const states = await executor.status();
      const serving = states.findIndex((state) => state.up && state.sessions > 0);
      if (serving < 0 || !streaming) continue;
      await children[serving]!.kill();
      killed++;
      children[serving] = await startChild(ports[serving]);
    }
  })();
  const givenAt: number[] = [];
  async function* paced(): AsyncGenerator<AudioFrame> {
    for (const frame of inputs) {
      do await sleep(paceMs); while (given >= (killed + 1) * frames / (kills + 1));
      given++;
      givenAt.push(performance.now());
      yield frame;
    }
  }
  const outputs: AudioFrame[] = [];
  let last = performance.now();
  let longestStallMs = 0;
  try {
    for await (const output of line(executor).run(paced())) {
      outputs.push(output);
      const needed = Math.ceil(outputs.length * FRAME_OUT / FRAME_IN) - 1;
      const now = performance.now();
      longestStallMs = Math.max(longestStallMs, now - Math.max(last, givenAt[needed] ?? now));
      last = now;
    }
  } finally {
    streaming = false;
    await storm;
    await Promise.all(children.map((child) => child.kill()));
  }
  assert.equal(outputs.length, expected.length);
  for (const [index, output] of outputs.entries()) assert.deepEqual(output, expected[index]);
  return { kills: killed, longestStallMs: Math.round(longestStallMs) };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
