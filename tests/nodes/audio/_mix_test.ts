import { deepEqual, ok } from "node:assert/strict";
import { mix } from "../../../nodes/audio/_mix.ts";
import { noise } from "../../../testing/mod.ts";
import { difference, ffmpeg } from "./_ffmpeg.ts";

const layouts = { 3: "3.0", 5: "5.0(side)", 6: "5.1(side)", 7: "6.1", 8: "7.1" };

for (const [channels, layout] of Object.entries(layouts)) {
  Deno.test(`mix of ${layout} to stereo is ffmpeg's without clipping, within 1e-6`, async () => {
    const [frame] = noise({
      seconds: 0.02,
      sampleRate: 48_000,
      numberOfChannels: Number(channels),
      amplitude: 0.9,
    });
    const filter = `channelmap=map=${
      Array.from({ length: Number(channels) }, (_, index) => index).join("|")
    }:channel_layout=${layout},aresample=rematrix_maxval=1,aformat=channel_layouts=stereo`;
    const { samples } = await ffmpeg([frame!], filter, 2);
    const most = difference(mix(frame!.data, Number(channels), 2), samples);
    ok(most < 1e-6, `${most}`);
  });
}

Deno.test("mix to one channel is the mean, from one a copy, between others channel by channel", () => {
  const data = new Float32Array([1, 2, 3, 4, 5, 9]); // three channels of two samples
  deepEqual(mix(data, 3, 1), new Float32Array([3, 5]));
  deepEqual(mix(new Float32Array([1, 2]), 1, 3), new Float32Array([1, 2, 1, 2, 1, 2]));
  deepEqual(mix(data, 3, 9).subarray(0, 6), data);
  deepEqual(mix(data, 3, 9).subarray(6), new Float32Array(12));
});
