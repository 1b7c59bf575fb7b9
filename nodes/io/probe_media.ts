import { z, type ZodType } from "zod";
import { MediaError } from "../../core/errors.ts";
import { parseOptions } from "../../core/options.ts";
import { type MediaInput, openInput, resolveInput } from "./_input.ts";
import { sniff } from "./_sniff.ts";
import { probeBytes, type ProbeJob, probeUrl } from "./ffmpeg/probe.ts";
import { spool } from "./ffmpeg/spool.ts";
import type { MediaInfo } from "./media_info.ts";
import { probeWav } from "./wav/probe_wav.ts";

/** Options of {@linkcode probeMedia}. */
export interface ProbeMediaOptions {
  /** The ffprobe program. @default the environment's `FFPROBE_PATH`, else `ffprobe` on the `PATH` */
  ffprobe?: string;
  /** Ends the probing. */
  signal?: AbortSignal;
}

const options: ZodType<ProbeMediaOptions> = z.strictObject({
  ffprobe: z.string().min(1).optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/**
 * Tells what media is: its container, length, streams. WAV is looked at by this library itself, all else by
 * ffprobe. Of a stream of bytes only the front is read, and the rest is cancelled; an MP4 whose index is at
 * its end is read whole, into a temporary file.
 *
 * @param input a path, URL, `-` for the standard input, bytes, or a stream of bytes
 * @param options which ffprobe
 * @throws {TypeError} if the input is none of these, or an option breaks its rule
 * @throws {MediaError} if it cannot be read or is no media, in one sentence
 *
 * @example
 * ```ts
 * import { probeMedia } from "@remotemedia/sdk";
 *
 * const { duration, audio } = await probeMedia("tests/testdata/conversation.wav");
 * console.log(duration, audio?.sampleRate); // 20.89 16000
 * ```
 */
export async function probeMedia(
  input: MediaInput,
  probeOptions: ProbeMediaOptions = {},
): Promise<MediaInfo> {
  const { ffprobe: program, signal = new AbortController().signal } = parseOptions(
    "media probe",
    options,
    probeOptions,
  ) as ProbeMediaOptions;
  const source = resolveInput("probe media", input);
  signal.throwIfAborted();
  const action = `probe media from ${source.name}`;
  const job: ProbeJob = { action, program, signal };
  if (source.kind === "live") return await probeUrl(source.url.href, job);
  const { bytes, path, size } = await openInput(source, { action, signal });
  const close = () => void bytes.close(signal.reason);
  signal.addEventListener("abort", close, { once: true });
  try {
    const kind = await sniff(bytes);
    signal.throwIfAborted();
    if (kind === "empty") throw new MediaError(`Cannot ${action} as it is empty`);
    if (kind === "wav") return await probeWav(bytes, { name: source.name, size });
    if (path !== undefined) return await probeUrl(`file:${path}`, job);
    if (kind !== "mp4-index-last") return await probeBytes(bytes, job);
    await using file = await spool(bytes, { action, signal });
    return await probeUrl(`file:${file.path}`, job);
  } finally {
    signal.removeEventListener("abort", close);
    await bytes.close(signal.reason);
  }
}
