import { cannot } from "../../core/errors.ts";
import { AudioFrame } from "../../core/frames/audio_frame.ts";
import { wrongInput } from "../data/_chunk_kind.ts";

/** Whose fault it is not: a node, as an error names it. */
interface Owner {
  /** The type's name. */
  readonly type: string;
}

/**
 * The chunk, if it is audio.
 *
 * @throws {TypeError} if it is not, with the node's type and both kinds
 */
export function requireAudio(node: Owner, chunk: unknown): AudioFrame {
  if (chunk instanceof AudioFrame) return chunk;
  throw wrongInput(node.type, "an audio frame", chunk);
}

/**
 * The chunk, if it is audio without NaN and Infinity: for nodes whose memory such a sample would spoil for good.
 *
 * @throws {TypeError} if it is not audio
 * @throws {RangeError} if a sample is NaN or infinite, with its place
 */
export function requireFiniteAudio(node: Owner, chunk: unknown): AudioFrame {
  const frame = requireAudio(node, chunk);
  const { data, numberOfFrames } = frame;
  let sum = 0;
  for (let index = 0; index < data.length; index++) sum += data[index]! * 0; // 0, or NaN once one is not finite
  if (sum === 0) return frame;
  const index = data.findIndex((sample) => !Number.isFinite(sample));
  const where = `sample ${index % numberOfFrames} of channel ${Math.floor(index / numberOfFrames)}`;
  const rule = `${where} must be a finite number`;
  throw new RangeError(cannot(`take frame in ${node.type}`, { rule, value: data[index] }));
}

/**
 * The name of a frame's track: `metadata.track`, a text or a number; `"0"` where there is none.
 *
 * @throws {TypeError} if it is anything else
 */
export function trackOf(node: Owner, frame: AudioFrame): string {
  const { track = "0" } = frame.metadata;
  if (typeof track === "string" || typeof track === "number") return String(track);
  const rule = "metadata.track must be a text or a number";
  throw new TypeError(cannot(`take frame in ${node.type}`, { rule, value: track }));
}

/** A level in dB as a factor; -120 dB and below is silence, 0. */
export function factorOf(db: number): number {
  return db <= SILENCE_DB ? 0 : 10 ** (db / 20);
}

/** What counts as silence, in dB. */
export const SILENCE_DB = -120;
