import type { ZodType } from "zod";
import { z } from "zod";
import { MediaError } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import { loggerFor } from "../../core/log.ts";
import { parseOptions } from "../../core/options.ts";
import type { ByteInput } from "./_byte_input.ts";
import { type FrameBatches, frameStream } from "./_frame_stream.ts";
import { type MediaInput, openInput, type ResolvedInput, resolveInput } from "./_input.ts";
import type { ReadJob } from "./_read_job.ts";
import { sniff } from "./_sniff.ts";
import { decodeBytes, decodeFile, decodeUrl } from "./ffmpeg/decode.ts";
import { spool } from "./ffmpeg/spool.ts";
import { mediaFields, type MediaOptions, type ReadOptions, refineMedia } from "./read_options.ts";
import { readSamples, readWav } from "./wav/read_wav.ts";

/** Options of {@linkcode readMedia}. */
export interface ReadMediaOptions extends MediaOptions {
  /** Ends the reading: the stream fails with its reason, ffmpeg is ended. */
  signal?: AbortSignal;
  /** Told what is wrong with the media though it can be read, as a file that is cut off. It is logged as well. */
  onWarning?: (message: string) => void;
}

/** {@linkcode ReadMediaOptions} with the defaults filled in. */
type Checked = ReadOptions & Pick<ReadMediaOptions, "signal" | "onWarning">;

const options: ZodType<Checked> = refineMedia(z.strictObject({
  ...mediaFields,
  signal: z.instanceof(AbortSignal).optional(),
  onWarning: z.custom<(message: string) => void>((value) => typeof value === "function", {
    message: "it must be a function",
  }).optional(),
}));

/**
 * Reads audio and video as frames.
 *
 * WAV files and streams with plain samples (8 to 32-bit whole numbers, 32 and 64-bit floating point, RF64,
 * unknown length) are read by this library itself, with any `sampleRate` and `channels`. All else goes
 * through ffmpeg. Nothing is opened before somebody reads, and a reader that stops reading stops the file,
 * the network or ffmpeg; whatever the size of the media, memory holds about one piece of it. Cancelling
 * the stream ends ffmpeg.
 *
 * Timestamps count from the start of the media, also with `start`. Those of audio come from the count of
 * samples; where the media has a gap (of 10 ms or more), a frame may be short and the next one is later.
 * Video keeps its own times, constant or not, unless `fps` asks for others. Audio and video come in one
 * stream, ordered by time as far as the file holds them within 1 s of each other. Channels are converted
 * as by `AudioTransform`: to one by their mean, from one by copying, from 5.1 and the like to two by a downmix.
 *
 * An MP4 whose index is at its end cannot be read front to back: if it comes as a stream or over HTTP, it is
 * first written to a temporary file, which is removed afterwards.
 *
 * @param input a path, URL, `-` for the standard input, bytes, or a stream of bytes
 * @param options what to read, and how it is to come
 * @returns the frames; it fails with a `MediaError` if the media cannot be read, in one sentence
 * @throws {TypeError | RangeError} naming the option, its rule and the value that breaks it
 *
 * @example
 * ```ts
 * import { readMedia } from "@remotemedia/sdk";
 *
 * let samples = 0;
 * for await (const frame of readMedia("tests/testdata/conversation.wav", { frameMs: 100 })) {
 *   samples += frame.numberOfFrames;
 * }
 * console.log(samples / 16_000); // 20.89 s
 * ```
 */
export function readMedia(
  input: MediaInput,
  options?: ReadMediaOptions & { video?: undefined },
): ReadableStream<AudioFrame>;
/** Reads video alone as frames; see the first form. */
export function readMedia(
  input: MediaInput,
  options: ReadMediaOptions & { audio: false },
): ReadableStream<VideoFrame>;
/** Reads audio and video as frames; see the first form. */
export function readMedia(
  input: MediaInput,
  options: ReadMediaOptions,
): ReadableStream<AudioFrame | VideoFrame>;
export function readMedia(
  input: MediaInput,
  readOptions: ReadMediaOptions = {},
): ReadableStream<AudioFrame | VideoFrame> {
  const checked = parseOptions("media reader", options, readOptions) as Checked;
  const source = resolveInput("create media reader", input);
  const warn = (message: string) => {
    log.warn("{message}", { message });
    checked.onWarning?.(message);
  };
  return frameStream(
    (signal) => readFrames(source, { name: source.name, options: checked, signal, warn }),
    {
      realtime: checked.realtime,
      signal: checked.signal,
      discard: async (reason) => {
        if (input instanceof ReadableStream && !input.locked) await input.cancel(reason);
      },
    },
  );
}

const log = loggerFor("media");

/** Opens the input, looks what it is, and leaves it to the reader that knows it. */
async function* readFrames(
  source: ResolvedInput,
  job: ReadJob,
): FrameBatches<AudioFrame | VideoFrame> {
  if (source.kind === "live") return yield* decodeUrl(source.url, job);
  const { name, options, signal } = job;
  const action = `read media from ${name}`;
  const { bytes, path, isLive } = await openInput(source, { action, signal });
  const close = () => void bytes.close(signal.reason);
  signal.addEventListener("abort", close, { once: true }); // ends a read that waits
  try {
    signal.throwIfAborted(); // ended while it was opened
    if (options.pcm !== undefined) return yield* readPcm(bytes, job);
    const kind = await sniff(bytes);
    signal.throwIfAborted();
    if (kind === "empty") throw new MediaError(`Cannot ${action} as it is empty`);
    if (kind === "wav") {
      if (options.video !== undefined) {
        throw new MediaError(`Cannot ${action} as it has no video`);
      }
      return yield* readWav(bytes, job);
    }
    if (path !== undefined) {
      await bytes.close();
      return yield* decodeFile(path, kind, job);
    }
    if (kind === "playlist" && source.kind === "http") {
      await bytes.close();
      return yield* decodeUrl(source.url, job);
    }
    if (kind !== "mp4-index-last") return yield* decodeBytes(bytes, { kind, isLive }, job);
    await using file = await spool(bytes, { action, signal });
    yield* decodeFile(file.path, kind, job);
  } finally {
    signal.removeEventListener("abort", close);
    await bytes.close(signal.reason);
  }
}

function readPcm(bytes: ByteInput, job: ReadJob): FrameBatches<AudioFrame> {
  const { sampleFormat, sampleRate, channels } = job.options.pcm!;
  const format = { sampleFormat, sampleRate, numberOfChannels: channels };
  return readSamples(bytes, job, { format, dataBytes: undefined, headerBytes: 0 });
}
