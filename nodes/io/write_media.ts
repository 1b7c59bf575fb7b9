import { extname } from "node:path";
import { z, type ZodType } from "zod";
import { cannot, messageOf } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import type { Marker } from "../../core/frames/marker.ts";
import type { VideoFrame } from "../../core/frames/video_frame.ts";
import { loggerFor } from "../../core/log.ts";
import { parseOptions } from "../../core/options.ts";
import type { MediaSink, WriteJob } from "./_media_sink.ts";
import { type MediaOutput, type ResolvedOutput, resolveOutput } from "./_output.ts";
import { EncodeSink } from "./ffmpeg/encode_sink.ts";
import { WavSink } from "./wav/wav_sink.ts";
import {
  type MediaWriteOptions,
  refineWrite,
  writeFields,
  type WriteOptions,
} from "./write_options.ts";

/** Options of {@linkcode writeMedia}. */
export interface WriteMediaOptions extends MediaWriteOptions {
  /** Ends the writing: the stream fails with its reason, nothing is left behind. */
  signal?: AbortSignal;
  /** Told what is odd though it can be written, as an output without any frame. It is logged as well. */
  onWarning?: (message: string) => void;
}

/** {@linkcode WriteMediaOptions} with the defaults filled in. */
type Checked = WriteOptions & Pick<WriteMediaOptions, "signal" | "onWarning">;

const options: ZodType<Checked> = refineWrite(z.strictObject({
  ...writeFields,
  signal: z.instanceof(AbortSignal).optional(),
  onWarning: z.custom<(message: string) => void>((value) => typeof value === "function", {
    message: "it must be a function",
  }).optional(),
}));

/**
 * Writes frames as audio and video.
 *
 * WAV is written by this library itself: from its first byte on it is valid even if it is cut off. Every
 * other format goes through ffmpeg; its file has another name, in the same directory, until it is complete.
 * A file of the same name stays as it is until then; so it does for WAV. MP4 and its kin are written in
 * fragments where the output is a stream, a pipe or a device, as they could not be otherwise.
 *
 * Time is kept: the file starts at the first frame, and audio that comes 10 ms late or more is preceded by
 * silence, unless `gaps` says otherwise; audio that comes early follows what was there before. Video keeps
 * its own times, constant or not, which must rise, unless `fps` asks for others. The rate and channels of
 * audio and the size of video must not change. Markers in the stream are left out.
 *
 * Aborting the stream ends ffmpeg and leaves nothing behind, and so does any failure. If no frame comes at
 * all, no file is made, and a warning says so.
 *
 * @param output a path, a `file:` URL, `-` for the standard output (which stays open), or a stream of bytes
 * @param options the format and how it is encoded
 * @returns where the frames go; it fails with a `MediaError` if they cannot be written, in one sentence
 * @throws {TypeError | RangeError} naming the option, its rule and the value that breaks it
 *
 * @example
 * ```ts
 * import { readMedia, writeMedia } from "@remotemedia/sdk";
 *
 * const path = await Deno.makeTempFile({ suffix: ".wav" });
 * await readMedia("tests/testdata/conversation.wav", { start: 1, duration: 2, sampleRate: 8000 })
 *   .pipeTo(writeMedia(path, { sampleFormat: "s24" }));
 * console.log((await Deno.stat(path)).size); // 48044
 * await Deno.remove(path);
 * ```
 */
export function writeMedia(
  output: MediaOutput,
  writeOptions: WriteMediaOptions = {},
): WritableStream<AudioFrame | VideoFrame | Marker> {
  const { signal, onWarning, ...checked } = parseOptions(
    "media writer",
    options,
    writeOptions,
  ) as Checked;
  const target = resolveOutput("create media writer", output);
  const abort = new AbortController();
  const action = `write media to ${target.name}`;
  const warn = (message: string) => {
    log.warn("{message}", { message });
    onWarning?.(message);
  };
  const job: WriteJob = { action, output: target, options: checked, signal: abort.signal, warn };
  return sinkStream(sinkOf(job), { abort, action, signal });
}

const log = loggerFor("media");

function sinkOf(job: WriteJob): MediaSink {
  const { output, options: { format, audio } } = job;
  const name = format ?? formatOf(output);
  if (name === "") {
    const rule = "the format must be given where the file has no ending that tells it";
    throw new TypeError(cannot("create media writer", { rule, value: output.name }));
  }
  const isPlain = !audio || audio.codec === undefined;
  return name === "wav" && isPlain ? new WavSink(job) : new EncodeSink(job);
}

function formatOf(output: ResolvedOutput): string {
  return output.kind === "stream" ? "wav" : extname(output.path).slice(1).toLowerCase();
}

/** A sink as a stream. Whatever fails, nothing is left behind. */
function sinkStream(
  sink: MediaSink,
  { abort, action, signal }: {
    abort: AbortController;
    action: string;
    signal: AbortSignal | undefined;
  },
): WritableStream<AudioFrame | VideoFrame | Marker> {
  let stop: (() => void) | undefined;
  const end = () => {
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
  };
  const guard = async (step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      await drop(error);
      throw error;
    }
  };
  let isDropped = false;
  const drop = async (reason: unknown) => {
    end();
    if (isDropped) return;
    isDropped = true;
    try {
      await sink.abort(reason);
    } catch (error) {
      log.error("Cannot clean up after {action}: {message}", { action, message: messageOf(error) });
    }
  };
  return new WritableStream<AudioFrame | VideoFrame | Marker>({
    start(controller) {
      // ends a write that waits; abort() comes only after it
      controller.signal.addEventListener("abort", () => abort.abort(controller.signal.reason));
      if (signal !== undefined) {
        stop = () => {
          abort.abort(signal.reason);
          controller.error(signal.reason);
          void drop(signal.reason);
        };
        if (signal.aborted) return stop();
        signal.addEventListener("abort", stop, { once: true });
      }
      return guard(() => sink.open());
    },
    write(chunk) {
      if (chunk.kind === "marker") return;
      return guard(async () => {
        if (chunk.kind !== "audio" && chunk.kind !== "video") {
          const rule = "its chunks must be audio or video frames";
          throw new TypeError(cannot(action, { rule, value: chunk }));
        }
        await sink.write(chunk);
      });
    },
    async close() {
      await guard(() => sink.close());
      end();
    },
    abort: drop,
  });
}
