import {
  AudioBuffer,
  AudioTransform,
  PassThrough,
  VoiceActivityDetector,
} from "../../nodes/mod.ts";
import { nodeContract } from "../../testing/contract.ts";
import { noise, speech } from "../../testing/frames.ts";

const seven = (await speech({ frameSize: 592 })).slice(0, 200); // 7.4 s: two segments

const contracts = {
  PassThrough: nodeContract({
    create: (config) => new PassThrough<unknown>({}, config),
    inputs: () => [1, "two", { three: 3 }],
    refused: [[() => new PassThrough({ size: 1 } as never), /no option "size"/]],
  }),
  AudioTransform: nodeContract({
    create: (config) => new AudioTransform({ sampleRate: 16_000, channels: 1 }, config),
    inputs: () => noise({ sampleRate: 44_100, numberOfChannels: 2, seconds: 0.3 }),
    refused: [[() => new AudioTransform({ channels: 0 }), /"channels"/]],
  }),
  AudioBuffer: nodeContract({
    create: (config) => new AudioBuffer({ frameSize: 512 }, config),
    inputs: () => noise({ seconds: 0.3 }),
    refused: [[() => new AudioBuffer({}), /exactly one/]],
  }),
  "VoiceActivityDetector segments": nodeContract({
    create: (config) => new VoiceActivityDetector({}, config),
    inputs: () => seven,
    refused: [[() => new VoiceActivityDetector({ threshold: 2 }), /"threshold"/]],
  }),
  "VoiceActivityDetector speech": nodeContract({
    create: (config) => new VoiceActivityDetector({ emit: "speech" }, config),
    inputs: () => seven,
  }),
  "VoiceActivityDetector annotate": nodeContract({
    create: (config) => new VoiceActivityDetector({ emit: "annotate", engine: "energy" }, config),
    inputs: () => seven,
  }),
};

for (const [node, cases] of Object.entries(contracts)) {
  for (const { name, run } of cases) Deno.test(`${node} ${name}`, run);
}
