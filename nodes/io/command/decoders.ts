import { AudioFrame, type AudioFrameInit } from "../../../core/frames/audio_frame.ts";
import { LineSplitter } from "../../data/_line_splitter.ts";
import type { ByteInput } from "../_byte_input.ts";
import { decodeSamples, type SampleFormat } from "../wav/samples.ts";
import { frameBytes, type WavFormat } from "../wav/wav_format.ts";
import { readWavHeader } from "../wav/wav_header.ts";

/** How a program's output is read. */
export type CommandOutput = "lines" | "text" | "length-prefixed" | "bytes" | "audio" | "wav";

/** The ways to read a program's output. */
export const outputFormats = [
  "lines",
  "text",
  "length-prefixed",
  "bytes",
  "audio",
  "wav",
] as const satisfies readonly CommandOutput[];

/** What a decoder has to know. */
export interface DecoderOptions {
  /** How the output is read. */
  output: CommandOutput;
  /** How raw samples are stored. */
  sampleFormat: SampleFormat;
  /** Rate of raw samples, in Hz. */
  sampleRate: number;
  /** Channels of raw samples. */
  channels: number;
  /** Length of audio frames, in ms. */
  frameMs: number;
  /** The longest line, text or message, in bytes or UTF-16 units. */
  maxMessageBytes: number;
  /** Time and metadata of the first audio frame. */
  origin: Pick<AudioFrameInit, "timestamp" | "metadata">;
}

/** Reads what a program writes, to its end. */
export function decode(input: ByteInput, options: DecoderOptions): AsyncGenerator<unknown> {
  const { output, sampleFormat, sampleRate, channels, maxMessageBytes } = options;
  switch (output) {
    case "lines":
      return decodeLines(input, maxMessageBytes);
    case "text":
      return decodeText(input, maxMessageBytes);
    case "length-prefixed":
      return decodeMessages(input, maxMessageBytes);
    case "bytes":
      return decodePieces(input);
    case "audio":
      return decodeAudio(input, { sampleFormat, sampleRate, numberOfChannels: channels }, options);
    case "wav":
      return decodeWavStream(input, options);
  }
}

async function* decodePieces(input: ByteInput): AsyncGenerator<Uint8Array> {
  for (let piece = await input.read(); piece !== undefined; piece = await input.read()) yield piece;
}

async function* decodeLines(input: ByteInput, maxLength: number): AsyncGenerator<string> {
  const lines = new LineSplitter(maxLength);
  for await (const piece of decodePieces(input)) yield* lines.push(piece);
  yield* lines.end();
}

async function* decodeText(input: ByteInput, maxBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const piece of decodePieces(input)) {
    length += piece.length;
    if (length > maxBytes) throw tooLong("text", length, maxBytes);
    text += decoder.decode(piece, { stream: true });
  }
  text += decoder.decode();
  if (text !== "") yield text;
}

async function* decodeMessages(input: ByteInput, maxBytes: number): AsyncGenerator<Uint8Array> {
  while (true) {
    const prefix = await input.take(4);
    if (prefix.length === 0) return;
    const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
    const length = prefix.length === 4 ? view.getUint32(0) : Infinity;
    if (prefix.length === 4 && length > maxBytes) throw tooLong("message", length, maxBytes);
    const message = prefix.length === 4 ? await input.take(length) : prefix;
    if (message.length < length) throw new Error("its output ended inside a message");
    yield message.slice();
  }
}

async function* decodeWavStream(
  input: ByteInput,
  options: DecoderOptions,
): AsyncGenerator<AudioFrame> {
  if ((await input.peek(1)).length === 0) return;
  const head = new TextDecoder("latin1").decode((await input.peek(12)).subarray(0, 12));
  if (!/^(RIFF|RF64|BW64).{4}WAVE$/s.test(head)) throw new Error("its output is not WAV");
  const { format } = await readWavHeader(input);
  // programs that cannot seek in a pipe put any size into the header: the samples go on to the end
  yield* decodeAudio(input, format, options);
}

async function* decodeAudio(
  input: ByteInput,
  format: WavFormat,
  { frameMs, origin }: DecoderOptions,
): AsyncGenerator<AudioFrame> {
  const { sampleFormat, sampleRate, numberOfChannels } = format;
  const size = frameBytes(format);
  const wanted = Math.max(1, Math.round(sampleRate * frameMs / 1000));
  const { timestamp = 0, metadata } = origin;
  let frames = 0;
  while (true) {
    const bytes = await input.take(wanted * size);
    const whole = bytes.length - bytes.length % size;
    if (whole > 0) {
      const data = decodeSamples(bytes.subarray(0, whole), sampleFormat, numberOfChannels);
      const at = timestamp + frames * 1e6 / sampleRate;
      yield new AudioFrame({ data, sampleRate, numberOfChannels, timestamp: at, metadata });
      frames += whole / size;
    }
    if (bytes.length < wanted * size) return;
  }
}

function tooLong(what: string, length: number, maxBytes: number): RangeError {
  return new RangeError(`a ${what} of ${length} bytes is longer than the ${maxBytes} it may have`);
}
