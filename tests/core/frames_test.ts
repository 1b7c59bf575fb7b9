import { deepEqual, equal, throws } from "node:assert/strict";
import { AudioFrame, EncodedFrame, Marker, Tensor, VideoFrame } from "../../core/mod.ts";
import { pixelBytes } from "../../core/frames/video_frame.ts";

Deno.test("AudioFrame knows its length, its duration and its channels", () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  const frame = new AudioFrame({ data, sampleRate: 3000, numberOfChannels: 2, timestamp: 10.4 });
  equal(frame.numberOfFrames, 3);
  equal(frame.duration, 1000);
  equal(frame.timestamp, 10);
  deepEqual([...frame.channel(1)], [4, 5, 6]);
  equal(frame.channel(1).buffer, data.buffer);
});

Deno.test("AudioFrame.with changes only what it is told", () => {
  const frame = new AudioFrame({
    data: new Float32Array(4),
    sampleRate: 8000,
    numberOfChannels: 2,
    timestamp: 5,
    metadata: { speaker: "a" },
  });
  const later = frame.with({ timestamp: 9 });
  equal(later.timestamp, 9);
  deepEqual(later.metadata, { speaker: "a" });
  equal(later.numberOfChannels, 2);
  equal(later.data, frame.data);
});

Deno.test("AudioFrame may be empty and have 32 channels, not 33, not 0 Hz, not uneven samples", () => {
  const data = new Float32Array(0);
  equal(new AudioFrame({ data, sampleRate: 8000 }).duration, 0);
  new AudioFrame({ data: new Float32Array(64), sampleRate: 8000, numberOfChannels: 32 });
  const make = (init: object) => () => new AudioFrame({ data, sampleRate: 8000, ...init });
  throws(make({ numberOfChannels: 33 }), {
    name: "RangeError",
    message:
      "Cannot create AudioFrame as numberOfChannels must be a whole number from 1 to 32: current value is 33",
  });
  throws(make({ numberOfChannels: 1.5 }), RangeError);
  throws(make({ sampleRate: 0 }), /sampleRate must be above 0/);
  throws(make({ sampleRate: Number.NaN }), RangeError);
  throws(make({ data: new Float32Array(3), numberOfChannels: 2 }), /current value is "3 samples"/);
  throws(make({ data: [0, 1] }), TypeError);
  throws(make({ timestamp: Number.NaN }), TypeError);
});

Deno.test("VideoFrame holds exactly the bytes of its format and size", () => {
  equal(pixelBytes("I420", 5, 3), 15 + 2 * 3 * 2);
  equal(pixelBytes("NV12", 4, 4), 24);
  equal(pixelBytes("RGBA", 5, 3), 60);
  const data = new Uint8Array(24);
  const frame = new VideoFrame({
    data,
    format: "NV12",
    codedWidth: 4,
    codedHeight: 4,
    duration: 40_000,
  });
  equal(frame.with({ timestamp: 40_000 }).duration, 40_000);
  const make = (init: object) => () =>
    new VideoFrame({ data, format: "NV12", codedWidth: 4, codedHeight: 4, ...init });
  throws(make({ format: "I444" }), /format must be one of I420, NV12, RGBA, BGRA, RGBX/);
  throws(make({ codedWidth: 0 }), RangeError);
  throws(make({ codedHeight: 5 }), /data must hold the 32 bytes of 4 × 5 NV12/);
  throws(make({ data: new Uint16Array(24) }), TypeError);
});

Deno.test("EncodedFrame, Tensor and Marker check what they are made of", () => {
  const packet = new EncodedFrame({ data: new Uint8Array(3), codec: "opus", duration: 20_000 });
  deepEqual([packet.type, packet.duration], ["key", 20_000]);
  throws(() => new EncodedFrame({ data: new Uint8Array(3), codec: "" }), TypeError);
  const tensor = new Tensor({ data: new BigInt64Array(6), dims: [2, 3] });
  equal(tensor.type, "int64");
  equal(new Tensor({ data: Float32Array.of(1), dims: [] }).dims.length, 0);
  throws(() => new Tensor({ data: new Float32Array(5), dims: [2, 3] }), /dims \[2, 3\]/);
  throws(() => new Tensor({ data: new Uint8ClampedArray(1) as never, dims: [1] }), TypeError);
  equal(new Marker({ name: "cue", data: { at: 1 } }).timestamp, 0);
});
