import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type AudioFrame, readMedia } from "../../mod.ts";
import { exampleTest, near } from "./_example.ts";

const needs = ["espeak-ng", "pocketsphinx_continuous"] as const;

/** Both channels of the recording, 16 kHz. */
async function channelsOf(path: string): Promise<[user: Float32Array, agent: Float32Array]> {
  const frames: AudioFrame[] = await Array.fromAsync(readMedia(path, { frameMs: 60_000 }));
  equal(frames.length, 1);
  const [frame] = frames;
  deepEqual([frame!.sampleRate, frame!.numberOfChannels], [16_000, 2]);
  return [frame!.channel(0), frame!.channel(1)];
}

function loudest(samples: Float32Array, from: number, to: number): number {
  return samples.subarray(16_000 * from, 16_000 * to).reduce(
    (most, sample) => Math.max(most, Math.abs(sample)),
    0,
  );
}

exampleTest(
  "talks, is interrupted without a click, understands and answers",
  { example: "05_voice_loop.ts", needs },
  async ({ out, folder, read }) => {
    const events = [...out.matchAll(/^ *([\d.]+) s +(.*)$/gm)].map(([, at, what]) => ({
      at: Number(at),
      what: what!,
    }));
    deepEqual(events.map(({ what }) => what.replace(/(Good morning\.).*/, "$1")), [
      "agent: Good morning.",
      "user:  please stop",
      "the user speaks: interrupt()",
      "agent: All right. What do you want to know?",
      "user:  what time is it",
      "agent: It is ten past nine.",
      "user:  thank you",
      "agent: You are welcome.",
    ]);
    const [, asked, interrupted, answered] = events.map(({ at }) => at) as number[];
    ok(interrupted! > asked! && interrupted! - asked! < 0.6, `${interrupted} after ${asked}`);

    const [user, agent] = await channelsOf(`${folder}/out/05_voice_loop/conversation.wav`);
    const end = interrupted! + 0.06; // the 20 ms of the tick, 20 ms faded, and one tick to spare
    const before = loudest(agent, interrupted! - 0.02, interrupted! + 0.02);
    ok(before > 0.05, `the agent spoke until then: ${before}`);
    equal(loudest(agent, end, answered! - 0.02), 0, "and is silent then");
    ok(loudest(user, asked!, answered!) > 0.05, "while the user speaks");
    let last = end;
    while (agent[Math.round(16_000 * last)] === 0) last -= 1 / 16_000;
    const click = loudest(agent, last - 0.001, last + 0.001);
    ok(click < before / 20, `it ends with a click of ${click}`);
    ok(near(agent.length / 16_000, events.at(-1)!.at + 1.7, 1), `${agent.length / 16_000} s`);

    const picture = await read("out/05_voice_loop/conversation.svg");
    match(picture, /interrupt\(\)/);
    for (const word of ["please", "Good", "nine.", "thank"]) ok(picture.includes(word), word);
  },
);
