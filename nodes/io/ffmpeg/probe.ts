import type { ByteInput } from "../_byte_input.ts";
import type {
  AudioStreamInfo,
  MediaInfo,
  OtherStreamInfo,
  StreamInfo,
  VideoStreamInfo,
} from "../media_info.ts";
import { feed } from "./feed.ts";
import { ToolProcess } from "./tool.ts";

/** What probing has to know. */
export interface ProbeJob {
  /** What it is for, to follow `Cannot` in messages. */
  action: string;
  /** The ffprobe program, where it was named. */
  program: string | undefined;
  signal: AbortSignal;
}

/** A value of ffprobe's JSON. */
type Fields = Record<string, unknown>;

/** Asks ffprobe what a URL, or a path with `file:` before it, is. */
export function probeUrl(url: string, job: ProbeJob): Promise<MediaInfo> {
  return probe(url, undefined, job);
}

/** Asks ffprobe what the bytes are; it reads no more of them than it must. */
export function probeBytes(input: ByteInput, job: ProbeJob): Promise<MediaInfo> {
  return probe("pipe:0", input, job);
}

async function probe(
  url: string,
  input: ByteInput | undefined,
  { action, program, signal }: ProbeJob,
): Promise<MediaInfo> {
  const args = ["-hide_banner", "-loglevel", "level+error", "-of", "json"];
  args.push("-show_format", "-show_streams", url);
  const start = { action, program, stdin: input !== undefined, stdout: true };
  const tool = ToolProcess.start("ffprobe", args, start);
  const kill = () => void tool.kill();
  signal.addEventListener("abort", kill, { once: true });
  const feeding = input === undefined ? undefined : feed(input, tool);
  feeding?.catch(kill); // thrown below, once ffprobe is gone
  try {
    const text = await new Response(tool.stdout).text();
    signal.throwIfAborted();
    await input?.close();
    await Promise.all([feeding, tool.finish()]);
    return infoOf(JSON.parse(text) as Fields);
  } finally {
    signal.removeEventListener("abort", kill);
    await input?.close();
    await tool.kill();
    await feeding?.catch(() => {}); // thrown above
  }
}

function infoOf(json: Fields): MediaInfo {
  const format = json.format as Fields;
  const streams = (json.streams as Fields[]).map(streamOf);
  return {
    format: String(format.format_name),
    duration: numberOf(format.duration),
    startTime: numberOf(format.start_time) ?? 0,
    size: numberOf(format.size),
    bitrate: numberOf(format.bit_rate),
    tags: tagsOf(format),
    streams,
    ...mainStreams(streams),
  };
}

/** The streams that are read: the first of each kind, covers left out. */
export function mainStreams(streams: MediaInfo["streams"]): Pick<MediaInfo, "audio" | "video"> {
  return {
    audio: streams.find((stream) => stream.kind === "audio"),
    video: streams.find((stream) => stream.kind === "video" && !stream.isCover) as
      | VideoStreamInfo
      | undefined,
  };
}

function streamOf(fields: Fields): AudioStreamInfo | VideoStreamInfo | OtherStreamInfo {
  const disposition = (fields.disposition ?? {}) as Fields;
  const common: StreamInfo = {
    index: Number(fields.index),
    codec: String(fields.codec_name ?? "unknown"),
    startTime: numberOf(fields.start_time) ?? 0,
    duration: numberOf(fields.duration),
    bitrate: numberOf(fields.bit_rate),
    isDefault: disposition.default === 1,
    tags: tagsOf(fields),
  };
  if (fields.codec_type === "audio") {
    return {
      kind: "audio",
      ...common,
      sampleRate: Number(fields.sample_rate),
      numberOfChannels: Number(fields.channels),
      channelLayout: fields.channel_layout as string | undefined,
    };
  }
  if (fields.codec_type === "video") {
    return {
      kind: "video",
      ...common,
      codedWidth: Number(fields.width),
      codedHeight: Number(fields.height),
      frameRate: fractionOf(fields.avg_frame_rate),
      pixelFormat: fields.pix_fmt as string | undefined,
      rotation: rotationOf(fields),
      isCover: disposition.attached_pic === 1,
    };
  }
  return { kind: "other", ...common };
}

/** The display matrix turns anticlockwise; older files have a tag that turns clockwise. */
function rotationOf(fields: Fields): number {
  const matrix = ((fields.side_data_list ?? []) as Fields[])
    .find(({ rotation }) => rotation !== undefined);
  const turn = matrix === undefined
    ? numberOf(tagsOf(fields).rotate) ?? 0
    : -Number(matrix.rotation);
  return (Math.round(turn / 90) * 90 % 360 + 360) % 360;
}

function tagsOf(fields: Fields): Record<string, string> {
  return (fields.tags ?? {}) as Record<string, string>;
}

function numberOf(value: unknown): number | undefined {
  const number = Number.parseFloat(String(value));
  return Number.isFinite(number) ? number : undefined;
}

/** `30000/1001` as a number. */
function fractionOf(value: unknown): number | undefined {
  const [num, den = 1] = String(value).split("/").map(Number);
  const fraction = num! / den;
  return Number.isFinite(fraction) && fraction > 0 ? fraction : undefined;
}
