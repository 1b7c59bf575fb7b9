/**
 * `VoiceActivityDetector` against calling onnxruntime in a bare loop: the same session, the same speech, in
 * turns. The median of the turns' ratios counts, so that what disturbs some of them does not.
 */
import { Pipeline } from "../core/mod.ts";
import { loadSilero } from "../nodes/ml/_silero.ts";
import { VoiceActivityDetector } from "../nodes/mod.ts";
import { median } from "./_compare.ts";
import { cut, joinSamples, speech } from "../testing/frames.ts";

const WINDOW = 512;
const CONTEXT = 64;
/** Short turns, and many: what disturbs one is likely to disturb both sides of it. */
const TURNS = 60;
const SECONDS = 14;

const samples = joinSamples(await speech()).subarray(0, SECONDS * 16_000);
const windows = Math.floor(samples.length / WINDOW);
const { ort, session } = await loadSilero();

/** The least that anybody has to write: windows with their context in, the state from call to call. */
async function bareLoop(): Promise<void> {
  const input = new Float32Array(CONTEXT + WINDOW);
  const sr = new ort.Tensor("int64", BigInt64Array.of(16_000n), []);
  const window = new ort.Tensor("float32", input, [1, CONTEXT + WINDOW]);
  let state = new ort.Tensor("float32", new Float32Array(256), [2, 1, 128]);
  let speechWindows = 0;
  for (let start = 0; start + WINDOW <= samples.length; start += WINDOW) {
    input.copyWithin(0, WINDOW);
    input.set(samples.subarray(start, start + WINDOW), CONTEXT);
    const { output, stateN } = await session.run({ input: window, state, sr });
    state = stateN as typeof state;
    if ((output!.data as Float32Array)[0]! >= 0.5) speechWindows++;
  }
  if (speechWindows === 0) throw new Error("the bare loop hears no speech");
}

function detector(frameSize: number): () => Promise<void> {
  const frames = cut(samples, { frameSize });
  return async () => {
    let next = 0;
    const source = new ReadableStream({
      pull(controller) {
        if (next < frames.length) controller.enqueue(frames[next++]!);
        else controller.close();
      },
    });
    const pipeline = new Pipeline([new VoiceActivityDetector()]);
    let segments = 0;
    for await (const _ of pipeline.run(source)) segments++;
    if (segments !== 2) throw new Error(`the detector hears ${segments} segments`);
  };
}

async function msOf(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Frames of 20 ms have to be put together to windows, which the bare loop is spared. */
for (const [frameSize, atLeast] of [[320, 0.85], [16_000, 0.9], [WINDOW, 0.9]] as const) {
  const ours = detector(frameSize);
  const turns: { bare: number; ours: number }[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    turns.push({ bare: await msOf(bareLoop), ours: await msOf(ours) });
  }
  const rate = (times: number[]) =>
    Math.round(windows * 1000 / median(times)).toLocaleString("en").padStart(14);
  const ratio = median(turns.map(({ bare, ours }) => bare / ours));
  const verdict = ratio >= atLeast ? "ok" : "BELOW";
  console.log(
    `  ${"onnxruntime in a bare loop".padEnd(44)} ${rate(turns.map(({ bare }) => bare))} windows/s`,
  );
  console.log(
    `  ${`VoiceActivityDetector, frames of ${frameSize}`.padEnd(44)} ${
      rate(turns.map(({ ours }) => ours))
    } windows/s`,
  );
  console.log(`  ratio ${ratio.toFixed(2)}, wanted at least ${atLeast}: ${verdict}`);
  if (ratio < atLeast) Deno.exitCode = 1;
}
