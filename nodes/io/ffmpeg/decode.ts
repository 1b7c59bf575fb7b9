import type { AudioFrame } from "../../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import type { ByteInput } from "../_byte_input.ts";
import type { FrameBatches } from "../_frame_stream.ts";
import type { MediaKind } from "../_sniff.ts";
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

/** Decodes a file, where ffmpeg can go to any place. */
export function decodeFile(
  path: string,
  kind: MediaKind,
  job: ReadJob,
): FrameBatches<AudioFrame | VideoFrame> {
  const source = { url: `file:${path}`, protocols: FILE_PROTOCOLS, isLive: job.options.realtime };
  return decode({ ...source, ...traitsOf(kind, job) }, undefined, job);
}

/** Decodes what a URL gives that ffmpeg opens by itself. */
export function decodeUrl(url: URL, job: ReadJob): FrameBatches<AudioFrame | VideoFrame> {
  // a picture's size may be told only with the next key frame, which can take some seconds
  const isJudgedSoon = job.options.video === undefined;
  const source = { url: url.href, isLive: true, isJudgedSoon, ...traitsOf("other", job) };
  return decode(source, undefined, job);
}

/** Decodes bytes as they come, sent on at once where they come as it happens. */
export function decodeBytes(
  input: ByteInput,
  { kind, isLive }: { kind: MediaKind; isLive: boolean },
  job: ReadJob,
): FrameBatches<AudioFrame | VideoFrame> {
  const source = { url: "pipe:0", protocols: FILE_PROTOCOLS, isLive };
  return decode({ ...source, ...traitsOf(kind, job) }, input, job);
}

/**
 * What is special about a kind of media. Of a broadcast, ffmpeg would let the audio start at 0 when it is read
 * alone, whatever the video does; beside video, it mends clocks that jump.
 */
function traitsOf(
  kind: MediaKind,
  { options: { audio, video } }: ReadJob,
): Pick<DecodeSource, "isGapless" | "keepsClock"> {
  const isAlone = audio === false || video === undefined;
  return { isGapless: kind === "gapless", keepsClock: kind === "broadcast" && isAlone };
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
        offsetUs ??= await clockOffset(tool, source, options);
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
async function clockOffset(
  tool: ToolProcess,
  { keepsClock }: DecodeSource,
  options: ReadOptions,
): Promise<number> {
  const start = await tool.log.inputStart;
  return 1e6 * (keepsClock ? -Math.max(0, start) : seekTo(options) + Math.min(0, start));
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
