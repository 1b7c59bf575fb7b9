import { EncodedFrame, type NodeConfig } from "../../../core/mod.ts";
import {
  AudioDecoder,
  AudioEncoder,
  AudioFilter,
  AudioVideoSync,
  FrameSampler,
  SceneDetector,
  Thumbnailer,
  VideoBuffer,
  VideoDecoder,
  VideoEncoder,
  VideoFilter,
  VideoOverlay,
  VideoResizer,
  VideoTransform,
} from "../../../nodes/video/mod.ts";
import { noise } from "../../../testing/mod.ts";
import { type AnyContract, contractOf } from "../data/_contract_of.ts";
import { greys, pictures } from "./_pictures.ts";

const jpegs = await Array.fromAsync(
  ReadableStream.from(pictures()).pipeThrough(new VideoEncoder({ codec: "mjpeg" })),
);

/** What the contract has to know of each video node, and of AudioFilter, by type. */
export const videoContracts: Record<string, AnyContract> = {
  AudioDecoder: contractOf({
    create: (config: NodeConfig) => new AudioDecoder({}, config),
    // packets without a voice: 20 ms of silence each
    inputs: () =>
      Array.from({ length: 6 }, (_, index) =>
        new EncodedFrame({
          data: new Uint8Array([0xf8, 0xff, 0xfe]),
          codec: "opus",
          timestamp: 20_000 * index,
        })),
    refused: [[() => new AudioDecoder({ channels: 3 }), /channels/]],
  }),
  AudioEncoder: contractOf({
    create: (config: NodeConfig) => new AudioEncoder({ bitrate: 32_000 }, config),
    inputs: () => noise({ seconds: 0.2, sampleRate: 44_100 }),
    refused: [
      [() => new AudioEncoder({ bitrate: 1 }), /bitrate/],
      [() => new AudioEncoder({ packetMs: 7 as never }), /packetMs/],
    ],
  }),
  AudioFilter: contractOf({
    create: (config: NodeConfig) => new AudioFilter({ graph: "volume=0.5,adelay=30" }, config),
    inputs: () => noise({ seconds: 0.2, numberOfChannels: 2 }),
    refused: [
      [() => new AudioFilter({} as never), /AudioFilter.*graph/],
      [() => new AudioFilter({ graph: "" }), /graph/],
    ],
  }),
  AudioVideoSync: contractOf({
    create: (config: NodeConfig) => new AudioVideoSync({ audioDelayMs: 20 }, config),
    inputs: () => [...pictures(), ...noise({ seconds: 0.2, timestamp: 1_010_000 })],
    refused: [[() => new AudioVideoSync({ maxWaitMs: -1 }), /maxWaitMs/]],
  }),
  FrameSampler: contractOf({
    create: (config: NodeConfig) => new FrameSampler({ every: 2 }, config),
    inputs: pictures,
    refused: [[() => new FrameSampler({ every: 0 }), /every/]],
  }),
  SceneDetector: contractOf({
    create: (config: NodeConfig) => new SceneDetector({}, config),
    inputs: () => greys([0, 10, 200, 190, 20, 20]),
    refused: [[() => new SceneDetector({ threshold: 2 }), /threshold/]],
  }),
  Thumbnailer: contractOf({
    create: (config: NodeConfig) => new Thumbnailer({ width: 8, everySeconds: 0.08 }, config),
    inputs: pictures,
    refused: [[() => new Thumbnailer({ quality: 0 }), /quality/]],
  }),
  VideoBuffer: contractOf({
    create: (config: NodeConfig) => new VideoBuffer({ frames: 3, hop: 2 }, config),
    inputs: pictures,
    refused: [[() => new VideoBuffer({ frames: 0 }), /frames/]],
  }),
  VideoDecoder: contractOf({
    create: (config: NodeConfig) => new VideoDecoder({}, config),
    inputs: () => jpegs,
    refused: [[() => new VideoDecoder({ format: "YUY2" as never }), /format/]],
  }),
  VideoEncoder: contractOf({
    create: (config: NodeConfig) => new VideoEncoder({ codec: "mjpeg" }, config),
    inputs: pictures,
    refused: [
      [() => new VideoEncoder({ codec: "theora" as never }), /codec/],
      [() => new VideoEncoder({ quality: 101 }), /quality/],
    ],
  }),
  VideoFilter: contractOf({
    create: (config: NodeConfig) => new VideoFilter({ graph: "hflip,tmix=frames=2" }, config),
    inputs: pictures,
    refused: [
      [() => new VideoFilter({} as never), /VideoFilter.*graph/],
      [() => new VideoFilter({ graph: "null", format: "YUY2" as never }), /format/],
    ],
  }),
  VideoOverlay: contractOf({
    create: (config: NodeConfig) =>
      new VideoOverlay({ boxes: [{ x: 2, y: 2, width: 8, height: 4 }] }, config),
    inputs: pictures,
    refused: [
      [() => new VideoOverlay({ boxes: [{ width: 1, height: 1, color: "red:t=9" }] }), /color/],
    ],
  }),
  VideoResizer: contractOf({
    create: (config: NodeConfig) => new VideoResizer({ width: 16 }, config),
    inputs: pictures,
    refused: [
      [() => new VideoResizer({}), /width or height/],
      [() => new VideoResizer({ width: 0 }), /width/],
    ],
  }),
  VideoTransform: contractOf({
    create: (config: NodeConfig) => new VideoTransform({ rotate: 90, format: "RGBA" }, config),
    inputs: pictures,
    refused: [
      [() => new VideoTransform({ rotate: 45 as never }), /rotate/],
      [() => new VideoTransform({ background: "red,movie=x" }), /background/],
    ],
  }),
};
