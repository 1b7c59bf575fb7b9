import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { EncodedFrame } from "../../../core/mod.ts";
import { AudioDecoder } from "../../../nodes/audio/audio_decoder.ts";
import { AudioEncoder } from "../../../nodes/audio/audio_encoder.ts";
import { joinSamples, sine } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { samplesOf, shiftOf, snrDb } from "../io/_media.ts";

Deno.test("AudioEncoder and AudioDecoder give a tone back at its time, 15 dB above what is lost", async () => {
  const frames = sine({ seconds: 1, sampleRate: 48_000, timestamp: 5_000_000, metadata: { a: 1 } });
  const packets = await through(new AudioEncoder({ bitrate: 128_000 }), frames);
  equal(packets[0]!.timestamp, 5_000_000 - 6500);
  packets.forEach(({ timestamp, duration, codec, type, metadata }, index) => {
    deepEqual([timestamp, duration], [4_993_500 + 20_000 * index, 20_000]);
    deepEqual([codec, type, metadata], ["opus", "key", { a: 1 }]);
  });
  const heard = await through(new AudioDecoder(), packets);
  equal(heard[0]!.timestamp, 4_993_500);
  equal(heard[0]!.sampleRate, 48_000);
  const lookAhead = Math.round(0.0065 * 48_000);
  const [before, after] = [joinSamples(frames), samplesOf(heard).subarray(lookAhead)];
  equal(shiftOf(before.subarray(4800, 9600), after.subarray(4800, 9600), 50), 0);
  ok(snrDb(before.subarray(4800, 40_000), after.subarray(4800, 40_000)) > 15);
});

Deno.test("AudioEncoder makes packets of the length and size that are asked for", async () => {
  const frames = sine({ seconds: 1, numberOfChannels: 2 });
  const bytes = async (bitrate: number) =>
    (await through(new AudioEncoder({ bitrate, packetMs: 60 }), frames))
      .reduce((sum, { data }) => sum + data.length, 0);
  equal((await through(new AudioEncoder({ packetMs: 60 }), frames)).length, 17);
  ok(await bytes(128_000) > 3 * await bytes(16_000));
  const heard = await through(
    new AudioDecoder(),
    await through(new AudioEncoder(), frames.slice(0, 5)),
  );
  equal(heard[0]!.numberOfChannels, 2);
});

Deno.test("AudioEncoder makes nothing of frames without samples", async () => {
  const [frame] = sine();
  const empty = frame!.with({ data: new Float32Array(0) });
  deepEqual(await through(new AudioEncoder(), [empty, empty]), []);
});

Deno.test("AudioDecoder and AudioEncoder refuse what is not theirs", async () => {
  const packet = (data: number[], codec = "opus") =>
    new EncodedFrame({ data: new Uint8Array(data), codec });
  const decode = (input: EncodedFrame) => through(new AudioDecoder(), [input]);
  await rejects(decode(packet([1], "mp3")), /codec must be opus: current value is "mp3"/);
  await rejects(decode(packet([])), /must hold a byte/);
  await rejects(decode(packet([3, 255, 255, 255])), /Cannot decode audio in AudioDecoder/);
  const wide = sine({ seconds: 0.02, numberOfChannels: 3 });
  await rejects(through(new AudioEncoder(), wide), /1 or 2 channels: current value is 3/);
});
