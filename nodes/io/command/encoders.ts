import { AudioFrame } from "../../../core/frames/audio_frame.ts";
import { kindOf } from "../../data/_chunk_kind.ts";
import { encodeWav } from "../../data/formats/wav.ts";
import { encodeSamples, type SampleFormat } from "../wav/samples.ts";
import { makeWavHeader } from "../wav/wav_format.ts";

/** How chunks are written to a program. */
export type CommandInput =
  | "lines"
  | "text"
  | "length-prefixed"
  | "bytes"
  | "audio"
  | "wav"
  | "none";

/** The ways to write chunks to a program. */
export const inputFormats = [
  "lines",
  "text",
  "length-prefixed",
  "bytes",
  "audio",
  "wav",
  "none",
] as const satisfies readonly CommandInput[];

/** Turns chunks into what a program reads: one for each program that is started. */
export type Encoder = (chunk: unknown) => Uint8Array<ArrayBufferLike>[];

/** What an encoder is made for. */
export interface EncoderOptions {
  /** How chunks are written. */
  input: CommandInput;
  /** How samples are written. */
  sampleFormat: SampleFormat;
  /** Whether the program gets this one chunk only. */
  single: boolean;
}

/** Makes the encoder of one run of a program. */
export function encoderOf({ input, sampleFormat, single }: EncoderOptions): Encoder {
  switch (input) {
    case "none":
      return () => [];
    case "lines":
      return (chunk) => [utf8.encode(`${textOf(chunk)}\n`)];
    case "text":
      return (chunk) => [utf8.encode(textOf(chunk))];
    case "bytes":
      return (chunk) => [bytesOf(chunk)];
    case "length-prefixed":
      return (chunk) => {
        const bytes = bytesOf(chunk);
        const prefix = new Uint8Array(4);
        new DataView(prefix.buffer).setUint32(0, bytes.length);
        return [prefix, bytes];
      };
    case "audio":
    case "wav":
      if (input === "wav" && single) return (chunk) => [encodeWav(audioOf(chunk), sampleFormat)];
      return audioEncoder(input === "wav", sampleFormat);
  }
}

const utf8 = new TextEncoder();

/** One stream of samples, behind a header that leaves its length open. */
function audioEncoder(hasHeader: boolean, sampleFormat: SampleFormat): Encoder {
  let first: AudioFrame | undefined;
  return (chunk) => {
    const frame = audioOf(chunk);
    const { sampleRate, numberOfChannels, data } = frame;
    const samples = encodeSamples(data, sampleFormat, numberOfChannels);
    if (first === undefined) {
      first = frame;
      const format = { sampleFormat, sampleRate, numberOfChannels };
      return hasHeader ? [makeWavHeader(format).bytes, samples] : [samples];
    }
    if (sampleRate !== first.sampleRate || numberOfChannels !== first.numberOfChannels) {
      const [was, is] = [first, frame].map((f) => `${f.sampleRate} Hz with ${f.numberOfChannels}`);
      throw new TypeError(`The audio changed from ${was} to ${is} channels: resample it before`);
    }
    return [samples];
  };
}

function textOf(chunk: unknown): string {
  if (typeof chunk === "string") return chunk;
  throw new TypeError(`The program is given text: it was given ${kindOf(chunk)}`);
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === "string") return utf8.encode(chunk);
  throw new TypeError(`The program is given bytes or text: it was given ${kindOf(chunk)}`);
}

function audioOf(chunk: unknown): AudioFrame {
  if (chunk instanceof AudioFrame) return chunk;
  throw new TypeError(`The program is given audio frames: it was given ${kindOf(chunk)}`);
}
