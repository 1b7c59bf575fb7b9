import type { AudioFrame } from "../../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import type { ByteInput } from "../_byte_input.ts";
import type { FrameBatches } from "../_frame_stream.ts";
import type { ReadJob } from "../_read_job.ts";
import type { ReadOptions } from "../read_options.ts";
import { decodeArgs, type DecodeSource, seekTo } from "./decode_args.ts";
import { DecodedAudio } from "./decoded_audio.ts";
import { DecodedVideo } from "./decoded_video.ts";
import { feed } from "./feed.ts";
import { NutReader, type NutStream } from "./nut_reader.ts";
import { ToolProcess } from "./tool.ts";

/** What ffmpeg may open when it reads a file: others of it, as playlists name them, but not the network. */
const FILE_PROTOCOLS = "file,pipe,crypto,data";

/** What is known of media before ffmpeg reads it. */
interface Known {
  /** Whether its audio has no timestamps of its own, and so no gaps. */
  isGapless: boolean;
}

/** Decodes a file, where ffmpeg can go to any place. */
export function decodeFile(
  path: string,
  job: ReadJob,
  { isGapless }: Known,
): FrameBatches<AudioFrame | VideoFrame> {
  const url = `file:${path}`;
  const isLive = job.options.realtime;
  return decode({ url, protocols: FILE_PROTOCOLS, isLive, isGapless }, undefined, job);
}

/** Decodes what a URL gives that ffmpeg opens by itself. */
export function decodeUrl(url: URL, job: ReadJob): FrameBatches<AudioFrame | VideoFrame> {
  return decode({ url: url.href, isLive: true, isGapless: false }, undefined, job);
}

/** Decodes bytes as they come. */
export function decodeBytes(input: ByteInput, job: ReadJob): FrameBatches<AudioFrame | VideoFrame> {
  const source = { url: "pipe:0", protocols: FILE_PROTOCOLS, isLive: true, isGapless: false };
  return decode(source, input, job);
}

/**
 * Runs ffmpeg, which gives audio and video in one pipe, ordered by time. A consumer that does not read
 * stops ffmpeg by the full pipe; what is in memory is one piece of the pipe and the frames in it.
 */
async function* decode(
  source: DecodeSource,
  input: ByteInput | undefined,
  job: ReadJob,
): FrameBatches<AudioFrame | VideoFrame> {
  const { name, options, signal } = job;
  const tool = ToolProcess.start("ffmpeg", decodeArgs(source, options), {
    action: `read media from ${name}`,
    program: options.ffmpeg,
    stdin: input !== undefined,
    stdout: true,
  });
  const kill = () => void tool.kill();
  signal.addEventListener("abort", kill, { once: true });
  const feeding = input === undefined ? undefined : feed(input, tool);
  feeding?.catch(kill); // thrown below, once ffmpeg is gone
  const reader = tool.stdout.getReader();
  try {
    const nut = new NutReader();
    const tracks = new Map<NutStream, DecodedAudio | DecodedVideo>();
    let offsetUs: number | undefined;
    while (true) {
      const { value: piece } = await reader.read();
      signal.throwIfAborted();
      if (piece === undefined) break;
      const frames: (AudioFrame | VideoFrame)[] = [];
      for (const { stream, timestampUs, data } of nut.push(piece)) {
        offsetUs ??= await clockOffset(tool, options);
        let track = tracks.get(stream);
        if (track === undefined) tracks.set(stream, track = startTrack(stream, job));
        frames.push(...track.push(data, timestampUs + offsetUs));
      }
      if (frames.length > 0) yield frames;
    }
    await input?.close(); // ffmpeg wants no more of it
    await Promise.all([feeding, tool.finish()]);
    if (nut.isInside) throw tool.failure("ffmpeg's output ends inside a frame");
    for (const track of tracks.values()) {
      const frames = track.flush();
      if (frames.length > 0) yield frames;
    }
    checkEnd(tool, job);
  } finally {
    signal.removeEventListener("abort", kill);
    await input?.close(signal.reason);
    await tool.kill();
    await reader.cancel();
    await feeding?.catch(() => {}); // thrown above, or void as nobody reads any more
  }
}

/**
 * What is to be added to ffmpeg's timestamps, in µs, to count from the start of the media. ffmpeg lets
 * them start at 0. That is right for media that starts late by its own clock, as broadcasts and the delay
 * of MP3 encoders do; but what comes before a clock's 0 is never heard: it only warms up the decoder.
 */
async function clockOffset(tool: ToolProcess, options: ReadOptions): Promise<number> {
  return 1e6 * (seekTo(options) + Math.min(0, await tool.log.inputStart));
}

function startTrack(stream: NutStream, job: ReadJob): DecodedAudio | DecodedVideo {
  return stream.kind === "audio" ? new DecodedAudio(stream, job) : new DecodedVideo(stream, job);
}

/** Tells what ffmpeg met on the way though it went on to the end. */
function checkEnd(tool: ToolProcess, { name, warn }: ReadJob): void {
  const { errors, lastWord } = tool.log;
  if (errors === 0) return;
  if (tool.log.find(/partial file/) !== undefined) {
    throw tool.failure("it is cut off: what there is was read");
  }
  const count = errors === 1 ? "an error" : `${errors} errors`;
  warn(`${name} is damaged: ffmpeg met ${count} and went on: ${lastWord}`);
}
