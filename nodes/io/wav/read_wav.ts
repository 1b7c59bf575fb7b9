import { MediaError } from "../../../core/errors.ts";
import type { AudioFrame } from "../../../core/frames/audio_frame.ts";
import { AudioConverter } from "../_audio_converter.ts";
import { AudioFramer } from "../_audio_framer.ts";
import type { ByteInput } from "../_byte_input.ts";
import type { FrameBatches } from "../_frame_stream.ts";
import type { ReadJob } from "../_read_job.ts";
import { decodeSamples } from "./samples.ts";
import { frameBytes, WavFault, type WavFormat } from "./wav_format.ts";
import { isTruncated, readWavHeader, type WavInfo } from "./wav_header.ts";

/** Reads a WAV file or stream, without any program. Holds one piece of its input. */
export async function* readWav(input: ByteInput, job: ReadJob): FrameBatches<AudioFrame> {
  yield* readSamples(input, job, await headerOf(input, job));
}

/** The header, or why there is none, in one sentence. */
export async function headerOf(input: ByteInput, { name }: { name: string }): Promise<WavInfo> {
  try {
    return await readWavHeader(input);
  } catch (fault) {
    if (!(fault instanceof WavFault)) throw fault;
    throw new MediaError(`Cannot read media from ${name} as ${fault.message}`, { cause: fault });
  }
}

/** Reads samples that have no header, or are past it. */
export async function* readSamples(
  input: ByteInput,
  job: ReadJob,
  { format, dataBytes }: WavInfo,
): FrameBatches<AudioFrame> {
  const { options, signal } = job;
  const { sampleRate, numberOfChannels } = format;
  const size = frameBytes(format);
  const from = { sampleRate, numberOfChannels };
  const to = {
    sampleRate: options.sampleRate ?? sampleRate,
    numberOfChannels: options.channels ?? numberOfChannels,
  };
  const start = Math.round((options.start ?? 0) * sampleRate);
  const wanted = Math.round((options.duration ?? Infinity) * sampleRate);
  using converter = await AudioConverter.create(from, to);
  const startUs = start * 1e6 / sampleRate;
  const framer = new AudioFramer(to, { frameMs: options.frameMs, startUs });

  const skip = Math.min(start * size, dataBytes ?? Infinity);
  let read = await input.skip(skip);
  const end = Math.min(dataBytes ?? Infinity, read + wanted * size);
  let rest: Uint8Array = new Uint8Array(0);
  while (read < end) {
    const piece = await input.read();
    signal.throwIfAborted();
    if (piece === undefined) {
      warnTruncated(job, format, dataBytes, read);
      break;
    }
    const bytes = join(rest, piece.subarray(0, end - read));
    read += bytes.length - rest.length;
    const whole = bytes.length - bytes.length % size;
    rest = bytes.subarray(whole);
    if (whole === 0) continue;
    const samples = decodeSamples(bytes.subarray(0, whole), format.sampleFormat, numberOfChannels);
    const frames = framer.push(converter.process(samples));
    if (frames.length > 0) yield frames;
  }
  const last = [...framer.push(converter.flush()), ...framer.flush()];
  if (last.length > 0) yield last;
}

function warnTruncated(
  job: ReadJob,
  format: WavFormat,
  dataBytes: number | undefined,
  read: number,
): void {
  if (!isTruncated(dataBytes, read)) return;
  const seconds = (bytes: number) => (bytes / frameBytes(format) / format.sampleRate).toFixed(2);
  job.warn(
    `${job.name} is cut off: it has ${seconds(read)} s of the ${
      seconds(dataBytes!)
    } s that its header tells`,
  );
}

function join(rest: Uint8Array, piece: Uint8Array): Uint8Array {
  if (rest.length === 0) return piece;
  const bytes = new Uint8Array(rest.length + piece.length);
  bytes.set(rest);
  bytes.set(piece, rest.length);
  return bytes;
}
