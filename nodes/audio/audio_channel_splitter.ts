import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import { type AudioFrame, MAX_CHANNELS } from "../../core/frames/audio_frame.ts";
import { Node, type NodeOutput } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { requireAudio } from "./_frames.ts";
import { outputOf } from "./_run.ts";

/** Options of {@linkcode AudioChannelSplitter}. */
export interface AudioChannelSplitterOptions {
  /** The channels that are given, from 0, in this order. @default all */
  channels?: number[];
  /** The name of each channel given, as `metadata.track`. @default its number */
  tracks?: string[];
}

const schema = z.strictObject({
  channels: z.array(z.int().min(0).max(MAX_CHANNELS - 1)).min(1).max(MAX_CHANNELS).optional()
    .describe("The channels that are given, from 0, in this order; all if absent"),
  tracks: z.array(z.string().min(1)).min(1).max(MAX_CHANNELS).optional()
    .describe("The name of each channel given, as metadata.track; its number if absent"),
}).refine(
  ({ channels, tracks }) =>
    channels === undefined || tracks === undefined || tracks.length === channels.length,
  { path: ["tracks"], error: "there must be as many tracks as channels" },
);

/**
 * Gives each channel as a frame of its own: mono, with the frame's time and metadata, and `metadata.channel`
 * (number) and `metadata.track` (its name) beside. {@linkcode AudioChannelMerger} is its inverse. Samples are
 * views of the frame's, not copies; whatever they are, they pass. Each frame may have another format.
 *
 * A frame that lacks a channel asked for fails the stream; so does one with more channels than `tracks`
 * where `channels` does not say which.
 *
 * @example
 * ```ts
 * import { AudioChannelSplitter } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const source = ReadableStream.from(sine({ numberOfChannels: 2, seconds: 0.02 }));
 * const splitter = new AudioChannelSplitter({ tracks: ["left", "right"] });
 * for await (const { metadata } of source.pipeThrough(splitter)) console.log(metadata.track); // left, right
 * ```
 */
export class AudioChannelSplitter
  extends Node<AudioFrame, AudioFrame, AudioChannelSplitterOptions> {
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** Keeps nothing between frames. */
  static override readonly stateless = true;

  /** Gives the channels of a frame, one frame each. */
  override process(chunk: AudioFrame): NodeOutput<AudioFrame> {
    const frame = requireAudio(this, chunk);
    const { numberOfChannels } = frame;
    const all = Array.from({ length: numberOfChannels }, (_, channel) => channel);
    const { channels = all, tracks = channels.map(String) } = this.options;
    const missing = channels.find((channel) => channel >= numberOfChannels);
    if (missing !== undefined) {
      const rule = `the frame must have a channel ${missing}`;
      throw new RangeError(cannot("split channels", { rule, value: numberOfChannels }));
    }
    if (channels.length !== tracks.length) {
      const rule = `the frame must have as many channels as there are tracks, ${tracks.length}`;
      throw new RangeError(cannot("split channels", { rule, value: numberOfChannels }));
    }
    return outputOf(channels.map((channel, index) =>
      frame.with({
        data: frame.channel(channel),
        numberOfChannels: 1,
        metadata: { ...frame.metadata, channel, track: tracks[index] },
      })
    ));
  }
}
