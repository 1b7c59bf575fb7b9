import type { NodeClass } from "../node.ts";

/** What kind of thing a chunk is. */
export type ChunkKind =
  | "audio"
  | "video"
  | "encoded"
  | "tensor"
  | "text"
  | "bytes"
  | "number"
  | "object";

/** What is known of chunks before anything runs. What is absent may be anything. */
export interface ChunkFormat {
  /** The kinds, one of which each chunk is. */
  kinds?: readonly ChunkKind[];
  /** Samples a second, in Hz. */
  sampleRate?: number;
  /** Channels of audio. */
  channels?: number;
}

/**
 * What a node with certain options takes and gives: the static method `formats(options)` of its class, if
 * it has one. It is checked before anything runs that neighbours in a manifest fit.
 */
export interface NodeFormats {
  /** What it needs. @default anything */
  accepts?: ChunkFormat;
  /** What it gives. With `passes`, only what it changes. @default anything */
  gives?: ChunkFormat;
  /** Whether what it does not change comes out as it came in. @default false */
  passes?: boolean;
}

/** What a node of a class takes and gives with these options. */
export function formatsOf(nodeClass: NodeClass, options: unknown): NodeFormats {
  return nodeClass.formats?.(options as never) ?? {};
}

/** What comes out of a node into which comes `input`. */
export function formatAfter(
  { gives = {}, passes = false }: NodeFormats,
  input: ChunkFormat,
): ChunkFormat {
  return passes ? { ...input, ...gives } : gives;
}

/** What is known of chunks that come from several nodes. */
export function commonFormat(formats: readonly ChunkFormat[]): ChunkFormat {
  const [first = {}, ...rest] = formats;
  const { kinds: _, ...fields } = first;
  const common: ChunkFormat = {};
  if (formats.length > 0 && formats.every(({ kinds }) => kinds !== undefined)) {
    common.kinds = [...new Set(formats.flatMap(({ kinds }) => kinds!))];
  }
  for (const [name, value] of Object.entries(fields) as ["sampleRate" | "channels", number][]) {
    if (rest.every((other) => other[name] === value)) common[name] = value;
  }
  return common;
}

/** What does not fit, and what would help; `undefined` if it may fit. */
export function misfit(
  gives: ChunkFormat,
  needs: ChunkFormat,
): { needed: string; given: string; remedy: string } | undefined {
  if (gives.kinds !== undefined && needs.kinds !== undefined) {
    const { kinds } = needs;
    if (!gives.kinds.some((kind) => kinds.includes(kind))) {
      return {
        needed: kinds.join(" or "),
        given: gives.kinds.join(" or "),
        remedy: "put a node that makes the one of the other between them",
      };
    }
  }
  const differs = (name: "sampleRate" | "channels") =>
    needs[name] !== undefined && gives[name] !== undefined && needs[name] !== gives[name];
  if (differs("channels")) {
    const unit = needs.channels === 1 ? "channel" : "channels";
    return {
      needed: `${needs.channels} ${unit}`,
      given: `${gives.channels}`,
      remedy: `insert AudioTransform with channels ${needs.channels}`,
    };
  }
  if (differs("sampleRate")) {
    return {
      needed: `${needs.sampleRate} Hz`,
      given: `${gives.sampleRate} Hz`,
      remedy: `insert AudioTransform with sampleRate ${needs.sampleRate}`,
    };
  }
  return undefined;
}
