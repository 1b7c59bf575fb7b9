import { MediaError } from "../../../core/errors.ts";
import type { AudioFrame } from "../../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import { AudioTimeline } from "../_audio_timeline.ts";
import { encodeSamples } from "../wav/samples.ts";
import { pixelFourccs } from "./encode_args.ts";
import { NutWriter, type NutWriterStream } from "./nut_writer.ts";

/** The first frame of each kind that there is. */
export interface FirstFrames {
  audio?: AudioFrame;
  video?: VideoFrame;
}

/** Options of {@linkcode FrameNut}. */
interface FrameNutOptions {
  /** What is done, to follow `Cannot` in messages. */
  action: string;
  /** What becomes of gaps in the audio. */
  gaps: "silence" | "skip";
}

/** Makes NUT of frames: samples without holes, pictures at their own times, both from the first one on. */
export class FrameNut {
  /** The streams, in their order. */
  readonly streams: readonly NutWriterStream[];
  readonly #writer: NutWriter;
  readonly #action: string;
  readonly #originUs: number;
  readonly #timeline: AudioTimeline | undefined;
  readonly #firstVideo: VideoFrame | undefined;
  #lastVideoUs = -1;

  constructor({ audio, video }: FirstFrames, { action, gaps }: FrameNutOptions) {
    this.#action = action;
    const starts = [audio, video].filter((frame) => frame !== undefined);
    const originUs = this.#originUs = Math.min(...starts.map(({ timestamp }) => timestamp));
    const streams: NutWriterStream[] = [];
    if (video !== undefined) {
      streams.push({
        kind: "video",
        fourcc: pixelFourccs[video.format],
        timeBase: { num: 1, den: 1_000_000 },
        shape: [video.codedWidth, video.codedHeight],
      });
    }
    if (audio !== undefined) {
      this.#timeline = new AudioTimeline(audio, { action, originUs, gaps });
      streams.push({
        kind: "audio",
        fourcc: "PFD ",
        timeBase: { num: 1, den: audio.sampleRate },
        shape: [audio.sampleRate, audio.numberOfChannels],
      });
    }
    this.#firstVideo = video;
    this.streams = streams;
    this.#writer = new NutWriter(streams);
  }

  /** What it begins with. */
  header(): Uint8Array<ArrayBuffer> {
    return this.#writer.header();
  }

  /** The pieces to write for a frame. */
  *piecesOf(frame: AudioFrame | VideoFrame): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    if (frame.kind === "audio") yield* this.#audio(frame);
    else yield* this.#video(frame);
  }

  *#audio(frame: AudioFrame): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const timeline = this.#timeline;
    if (timeline === undefined) throw this.#unexpected("audio");
    const id = this.streams.length - 1;
    for (const samples of timeline.piecesOf(frame)) {
      const start = timeline.count - samples.length / timeline.numberOfChannels;
      const bytes = encodeSamples(samples, "f32", timeline.numberOfChannels);
      yield this.#writer.frameHeader(id, start, bytes.length);
      yield bytes;
    }
  }

  *#video(frame: VideoFrame): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const first = this.#firstVideo;
    if (first === undefined) throw this.#unexpected("video");
    if (shapeOf(frame) !== shapeOf(first)) {
      throw new MediaError(
        `Cannot ${this.#action} as a picture of ${shapeOf(frame)} came after ${shapeOf(first)}`,
      );
    }
    const atUs = frame.timestamp - this.#originUs;
    if (atUs <= this.#lastVideoUs) {
      throw new MediaError(
        `Cannot ${this.#action} as the timestamps of video must rise: ` +
          `${frame.timestamp} µs came after ${this.#lastVideoUs + this.#originUs} µs`,
      );
    }
    this.#lastVideoUs = atUs;
    yield this.#writer.frameHeader(0, atUs, frame.data.length);
    yield frame.data as Uint8Array<ArrayBuffer>;
  }

  #unexpected(kind: "audio" | "video"): MediaError {
    return new MediaError(
      `Cannot ${this.#action} as ${kind} came more than a second after the start: ` +
        `give ${kind} {} to wait for it, or false to leave it out`,
    );
  }
}

function shapeOf({ format, codedWidth, codedHeight }: VideoFrame): string {
  return `${codedWidth} × ${codedHeight} ${format}`;
}
