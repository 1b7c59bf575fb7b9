import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type AudioFrame, Pipeline } from "../../../core/mod.ts";
import {
  type PendingTurn,
  TurnDetector,
  type TurnEvent,
} from "../../../nodes/audio/turn_detector.ts";
import { VoiceActivityDetector } from "../../../nodes/ml/voice_activity_detector.ts";
import { nodeContract, sine, speech } from "../../../testing/mod.ts";
import { contractOf } from "../data/_contract_of.ts";
import { through } from "../data/_through.ts";
import { annotated } from "./_native_contracts.ts";
import { anyChannels, frameOf } from "./_bad_input.ts";

/** Frames of 10 ms: `1` is speech, `0` is silence, each for 100 ms. */
function talk(pattern: string, timestamp = 0): AudioFrame[] {
  return [...pattern].flatMap((letter, part) =>
    Array.from({ length: 10 }, (_, index) =>
      frameOf({
        data: new Float32Array(160),
        timestamp: timestamp + part * 100_000 + index * 10_000,
        metadata: { speech: letter === "1" },
      }))
  );
}

const short = (events: TurnEvent[]) =>
  events.map(({ type, turn, timestamp, reason }) =>
    `${type} ${turn} ${timestamp / 1e6}${reason === undefined ? "" : ` ${reason}`}`
  );

Deno.test("TurnDetector ends a turn after silenceMs, not at shorter pauses", async () => {
  const events = await through<TurnEvent>(
    new TurnDetector({ silenceMs: 300 }),
    talk("01100110000111"),
  );
  deepEqual(short(events), [
    "turn-start 0 0.1",
    "turn-end 0 0.7 silence",
    "turn-start 1 1.1",
    "turn-end 1 1.4 end",
  ]);
});

Deno.test("TurnDetector does not take a cough for a turn", async () => {
  const node = new TurnDetector({ minSpeechMs: 150, silenceMs: 200 });
  deepEqual(await through(node, talk("0100100")), []);
});

Deno.test("TurnDetector hears the three sentences of real speech as three turns", async () => {
  const detector = new VoiceActivityDetector({ emit: "annotate" });
  const events = await Array.fromAsync(
    new Pipeline([detector, new TurnDetector({ silenceMs: 800 })]).run(await speech()),
  );
  deepEqual(events.map(({ type }) => type), Array(3).fill(["turn-start", "turn-end"]).flat());
  for (const [index, time] of [1.25, 3.902, 5.698, 12.414, 14.338, 19.262].entries()) {
    ok(Math.abs(events[index]!.timestamp / 1e6 - time) < 0.05, `${events[index]!.timestamp}`);
  }
});

Deno.test("TurnDetector annotates every frame with its turn", async () => {
  const node = new TurnDetector({ emit: "annotate", silenceMs: 200 });
  const frames = await through<AudioFrame>(node, talk("0110001100"));
  equal(frames.length, 100);
  const turns = frames.filter((_, index) => index % 10 === 9).map(({ metadata }) => metadata.turn);
  deepEqual(turns, [null, 0, 0, 0, null, null, 1, 1, 1, null]);
});

/** Takes the second pause for the end, and keeps what it was given. */
class Modelled extends TurnDetector {
  readonly asked: PendingTurn[] = [];
  protected override likelihood(turn: PendingTurn): Promise<number> {
    this.asked.push(turn);
    return Promise.resolve(this.asked.length === 2 ? 0.9 : 0.1);
  }
}

Deno.test("TurnDetector asks a model once a pause, and ends the turn at once when it says so", async () => {
  const node = new Modelled({ silenceMs: 700, pauseMs: 200, contextMs: 500 });
  const events = await through<TurnEvent>(node, talk("1110001110001"));
  deepEqual(short(events), [
    "turn-start 0 0",
    "turn-end 0 0.9 model",
    "turn-start 1 1.2",
    "turn-end 1 1.3 end",
  ]);
  deepEqual(node.asked.map(({ silenceMs }) => silenceMs), [200, 200]);
  const { frames, speechEnd } = node.asked[0]!;
  equal(speechEnd, 300_000);
  equal(frames.length, 50); // bounded by contextMs
  equal(frames.at(-1)!.timestamp, 490_000);
});

Deno.test("TurnDetector gives a model nothing of before the turn", async () => {
  const node = new Modelled();
  await through(node, talk("000110011000000000110000"));
  const times = node.asked.map(({ start, frames }) => [start, frames[0]!.timestamp]);
  deepEqual(times, [[300_000, 300_000], [300_000, 300_000], [1_800_000, 1_800_000]]);
});

Deno.test("TurnDetector forgets the turn when it is interrupted while a model thinks", async () => {
  const thinks = Promise.withResolvers<number>();
  class Slow extends TurnDetector {
    protected override likelihood(): Promise<number> {
      return thinks.promise;
    }
  }
  const pipeline = new Pipeline([new Slow({ pauseMs: 100, silenceMs: 500 })]);
  const events = Array.fromAsync(pipeline.readable);
  const writer = pipeline.writable.getWriter();
  const writes = talk("1111").map((frame) => writer.write(frame));
  await Promise.all(writes);
  const asked = talk("0", 400_000).map((frame) => writer.write(frame).catch(() => {}));
  await Promise.resolve();
  const interrupted = pipeline.interrupt();
  thinks.resolve(1);
  await Promise.all([interrupted, ...asked]);
  for (const frame of talk("11", 1e6)) await writer.write(frame);
  await writer.close();
  deepEqual(short((await events) as TurnEvent[]), [
    "turn-start 0 0",
    "turn-start 1 1",
    "turn-end 1 1.2 end",
  ]);
});

Deno.test("TurnDetector ends a turn where time jumps back, and counts a gap as silence", async () => {
  const back = [...talk("11", 5e6), ...talk("11")];
  deepEqual(short(await through<TurnEvent>(new TurnDetector(), back)), [
    "turn-start 0 5",
    "turn-end 0 5.2 break",
    "turn-start 1 0",
    "turn-end 1 0.2 end",
  ]);
  const gap = [...talk("11"), ...talk("11", 5e6)];
  deepEqual(short(await through<TurnEvent>(new TurnDetector(), gap))[1], "turn-end 0 0.2 silence");
});

Deno.test("TurnDetector takes 1 to 32 channels and empty frames; unannotated ones are refused", async () => {
  const frames = anyChannels().map((frame) => frame.with({ metadata: { speech: true } }));
  const empty = frameOf({ data: new Float32Array(0), metadata: { speech: false } });
  equal((await through(new TurnDetector(), [empty, ...frames])).length, 2);
  await rejects(through(new TurnDetector(), sine()), /metadata.speech must be a boolean/);
});

const modelled = contractOf({
  create: (config) => new Modelled({ silenceMs: 150, pauseMs: 40 }, config),
  inputs: annotated,
  // which pause is the second one is not in its state
  compare: (actual: unknown[], expected) => ok(actual.length > 0 && expected.length > 0),
});
for (const { name, run } of nodeContract(modelled)) {
  Deno.test(`TurnDetector with a model ${name}`, run);
}
