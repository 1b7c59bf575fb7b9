/**
 * How many times real time each audio node runs at 48 kHz stereo, and each video node at 1080p30, next to one ffmpeg
 * that does the same from a file of raw samples or pictures. Tells those below half of ffmpeg: `docs/speed.md` says
 * why. Fails for a node below real time, or one that the list has forgotten.
 */
import { type AnyNode, type AudioFrame, VideoFrame } from "../core/mod.ts";
import * as nodes from "../nodes/mod.ts";
import { noise } from "../testing/mod.ts";
import { median } from "./_compare.ts";

const AUDIO_SECONDS = 60;
const VIDEO_SECONDS = 2;
const ROUNDS = 3;

interface Entry {
  /** Makes the node. */
  make: () => unknown;
  /** What ffmpeg does instead, if it can. */
  args?: readonly string[];
  /** What goes in. @default stereo noise, or pictures */
  inputs?: () => Iterable<unknown>;
  /** How much of it, in s. @default all */
  seconds?: number;
  /** ffmpeg's input. @default the same noise or pictures, raw */
  source?: readonly string[];
}

const folder = await Deno.makeTempDir({ prefix: "remotemedia-bench-" });
const audio = noise({ seconds: AUDIO_SECONDS, sampleRate: 48_000, numberOfChannels: 2 });
const spoken = audio.map((frame, index) =>
  frame.with({ metadata: { speech: index % 200 < 100, track: index % 2 === 0 ? "a" : "b" } })
);
const twoTracks = audio.flatMap((frame) =>
  ["a", "b"].map((track) => frame.with({ metadata: { track } }))
);
const mono = noise({ seconds: AUDIO_SECONDS, sampleRate: 48_000 });
const twoMono = mono.flatMap((frame) =>
  ["a", "b"].map((track) => frame.with({ metadata: { track } }))
);
const pictures = await makePictures();

const rawAudio = await writeRaw("audio.raw", audio.map(interleaved));
const rawMono = await writeRaw("mono.raw", mono.map(({ data }) => bytesOf(data)));
const rawVideo = await writeRaw("video.raw", pictures.map(({ data }) => data));
const fromAudio = ["-f", "f32le", "-ar", "48000", "-ac", "2", "-i", rawAudio];
const fromMono = ["-f", "f32le", "-ar", "48000", "-ac", "1", "-i", rawMono];
const fromVideo = [
  ...["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "1920x1080", "-r", "30", "-i", rawVideo],
];
const opus = await collect(new nodes.AudioEncoder(), audio);
const opusFile = await encoded("audio.opus", [...fromAudio, "-c:a", "libopus", "-b:a", "64k"]);
const h264 = await collect(new nodes.VideoEncoder(), pictures);
const x264 = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-crf", "21"];
const h264File = await encoded("video.mkv", [...fromVideo, ...x264]);

const af = (graph: string) => ["-af", graph];
const vf = (graph: string) => ["-vf", graph];

const audioEntries: Record<string, Entry> = {
  AudioBuffer: {
    make: () => new nodes.AudioBuffer({ frameSize: 1024 }),
    args: af("asetnsamples=1024"),
  },
  AudioChannelMerger: {
    make: () => new nodes.AudioChannelMerger({ tracks: ["a", "b"] }),
    inputs: () => twoMono,
    source: [...fromMono, ...fromMono],
    args: ["-filter_complex", "amerge=inputs=2"],
  },
  AudioChannelSplitter: {
    make: () => new nodes.AudioChannelSplitter(),
    args: ["-filter_complex", "channelsplit,amix=inputs=2"],
  },
  AudioDecoder: {
    make: () => new nodes.AudioDecoder(),
    inputs: () => opus,
    source: ["-i", opusFile],
    args: [],
  },
  AudioEncoder: {
    make: () => new nodes.AudioEncoder(),
    args: ["-c:a", "libopus", "-b:a", "64k"],
  },
  AudioFader: { make: () => new nodes.AudioFader(), args: af("afade=d=0.02") },
  AudioFilter: {
    make: () => new nodes.AudioFilter({ graph: "highpass=f=120,acompressor" }),
    args: af("highpass=f=120,acompressor"),
  },
  AudioGain: { make: () => new nodes.AudioGain({ gainDb: -6 }), args: af("volume=-6dB") },
  AudioLevelMeter: { make: () => new nodes.AudioLevelMeter(), args: af("ebur128=peak=true") },
  AudioMixer: {
    make: () => new nodes.AudioMixer({ tracks: 2 }),
    inputs: () => twoTracks,
    source: [...fromAudio, ...fromAudio],
    args: ["-filter_complex", "amix=inputs=2"],
  },
  AudioResampler: {
    make: () => new nodes.AudioResampler({ sampleRate: 16_000 }),
    args: af("aresample=16000"),
  },
  AudioTransform: {
    make: () => new nodes.AudioTransform({ sampleRate: 16_000, channels: 1 }),
    args: ["-ar", "16000", "-ac", "1"],
  },
  ExtractAudioData: {
    make: () => new nodes.ExtractAudioData({ layout: "interleaved", sampleType: "int16" }),
    args: ["-c:a", "pcm_s16le"],
  },
  FeatureExtractor: { make: () => new nodes.FeatureExtractor() },
  NoiseSuppressor: { make: () => new nodes.NoiseSuppressor(), args: af("afftdn"), seconds: 6 },
  Recorder: {
    make: () => new nodes.Recorder({ tracks: ["a", "b"] }),
    inputs: () => twoMono,
    source: [...fromMono, ...fromMono],
    args: ["-filter_complex", "amerge=inputs=2"],
  },
  SpeechSegmenter: { make: () => new nodes.SpeechSegmenter(), inputs: () => spoken },
  TurnDetector: { make: () => new nodes.TurnDetector(), inputs: () => spoken },
};

const videoEntries: Record<string, Entry> = {
  AudioVideoSync: { make: () => new nodes.AudioVideoSync() },
  FrameSampler: { make: () => new nodes.FrameSampler({ every: 10 }), args: vf("framestep=10") },
  SceneDetector: {
    make: () => new nodes.SceneDetector(),
    args: vf("select=gt(scene\\,0.3)"),
  },
  Thumbnailer: {
    make: () => new nodes.Thumbnailer({ width: 320, everySeconds: 0.5 }),
    args: [...vf("fps=2,scale=320:-2"), "-c:v", "mjpeg"],
  },
  VideoBuffer: { make: () => new nodes.VideoBuffer({ frames: 8 }) },
  VideoDecoder: {
    make: () => new nodes.VideoDecoder(),
    inputs: () => h264,
    source: ["-threads", "1", "-i", h264File],
    args: [],
  },
  VideoEncoder: { make: () => new nodes.VideoEncoder(), args: x264 },
  VideoFilter: { make: () => new nodes.VideoFilter({ graph: "hflip" }), args: vf("hflip") },
  VideoOverlay: {
    make: () => new nodes.VideoOverlay({ boxes: [{ x: 10, y: 10, width: 99, height: 99 }] }),
    args: vf("drawbox=10:10:99:99"),
  },
  VideoResizer: {
    make: () => new nodes.VideoResizer({ width: 640, height: 360 }),
    args: vf("scale=640:360"),
  },
  VideoTransform: {
    make: () => new nodes.VideoTransform({ rotate: 90, width: 540, height: 960 }),
    args: vf("transpose=clock,scale=540:960"),
  },
};

try {
  checkNoneForgotten();
  console.log(`  ${"node".padEnd(22)}   x real time      ffmpeg   ratio`);
  const slow: string[] = [];
  for (const [type, entry] of Object.entries(audioEntries)) {
    await measure(type, entry, { seconds: AUDIO_SECONDS, frames: audio, source: fromAudio, slow });
  }
  for (const [type, entry] of Object.entries(videoEntries)) {
    await measure(type, entry, {
      seconds: VIDEO_SECONDS,
      frames: pictures,
      source: fromVideo,
      slow,
    });
  }
  console.log(`  below half of ffmpeg: ${slow.join(", ") || "none"}`);
} finally {
  await Deno.remove(folder, { recursive: true });
}

interface Setting {
  seconds: number;
  frames: readonly unknown[];
  source: readonly string[];
  slow: string[];
}

async function measure(type: string, entry: Entry, setting: Setting): Promise<void> {
  const { seconds = setting.seconds } = entry;
  const [ours, theirs]: number[][] = [[], []];
  const all = [...entry.inputs?.() ?? setting.frames];
  const inputs = all.slice(0, all.length * seconds / setting.seconds);
  for (let round = 0; round < ROUNDS; round++) {
    let start = performance.now();
    await collect(entry.make() as AnyNode, inputs, false);
    ours!.push(seconds * 1000 / (performance.now() - start));
    if (entry.args === undefined) continue;
    start = performance.now();
    await ffmpeg([
      ...entry.source ?? setting.source,
      ...entry.args,
      "-t",
      String(seconds),
      "-f",
      "null",
      "-",
    ]);
    theirs!.push(seconds * 1000 / (performance.now() - start));
  }
  const speed = median(ours!);
  const ffmpegs = entry.args === undefined ? undefined : median(theirs!);
  const ratio = ffmpegs === undefined ? undefined : speed / ffmpegs;
  const columns = [speed.toFixed(1), ffmpegs?.toFixed(1) ?? "-", ratio?.toFixed(2) ?? "-"];
  const [a, b, c] = columns;
  console.log(`  ${type.padEnd(22)} ${a!.padStart(13)} ${b!.padStart(11)} ${c!.padStart(7)}`);
  if (ratio !== undefined && ratio < 0.5) setting.slow.push(`${type} (${c})`);
  if (speed < 1) {
    console.log(`  ${type} is slower than real time`);
    Deno.exitCode = 1;
  }
}

/** Nodes that only wait for the clock, or are measured by a bench of their own, are not here. */
function checkNoneForgotten(): void {
  const elsewhere = ["VoiceActivityDetector"];
  const types = [...nodes.nativeAudioNodes, ...nodes.videoNodes, nodes.AudioTransform];
  for (const { type, name } of types) {
    const known = type ?? name;
    if (known in audioEntries || known in videoEntries || elsewhere.includes(known)) continue;
    throw new Error(`${known} is in no list of this bench`);
  }
}

async function collect(
  node: AnyNode | unknown,
  inputs: Iterable<unknown>,
  keep = true,
): Promise<unknown[]> {
  const outputs: unknown[] = [];
  const transform = node as TransformStream<unknown, unknown>;
  for await (const output of ReadableStream.from(inputs).pipeThrough(transform)) {
    if (keep) outputs.push(output);
  }
  return outputs;
}

async function ffmpeg(args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ffmpeg", {
    args: ["-nostdin", "-hide_banner", "-loglevel", "error", "-y", ...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function encoded(name: string, args: readonly string[]): Promise<string> {
  await ffmpeg([...args, `${folder}/${name}`]);
  return `${folder}/${name}`;
}

async function writeRaw(name: string, pieces: readonly Uint8Array[]): Promise<string> {
  const path = `${folder}/${name}`;
  using file = await Deno.open(path, { write: true, create: true });
  const writer = file.writable.getWriter();
  for (const piece of pieces) await writer.write(piece as Uint8Array<ArrayBuffer>);
  return path;
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function interleaved({ data, numberOfFrames, numberOfChannels }: AudioFrame): Uint8Array {
  const samples = new Float32Array(data.length);
  for (let channel = 0; channel < numberOfChannels; channel++) {
    for (let index = 0; index < numberOfFrames; index++) {
      samples[index * numberOfChannels + channel] = data[channel * numberOfFrames + index]!;
    }
  }
  return bytesOf(samples);
}

/** Moving pictures of ffmpeg's. */
async function makePictures(): Promise<VideoFrame[]> {
  const source = `testsrc2=size=1920x1080:rate=30:duration=${VIDEO_SECONDS}`;
  const frames: VideoFrame[] = [];
  const { stdout } = await new Deno.Command("ffmpeg", {
    args: [
      ...["-loglevel", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p"],
      ...["-f", "rawvideo", "pipe:1"],
    ],
  }).output();
  const size = 1920 * 1080 * 3 / 2;
  for (let index = 0; index < 30 * VIDEO_SECONDS; index++) {
    frames.push(
      new VideoFrame({
        data: stdout.slice(index * size, (index + 1) * size),
        format: "I420",
        codedWidth: 1920,
        codedHeight: 1080,
        timestamp: Math.round(index * 1e6 / 30),
      }),
    );
  }
  return frames;
}
