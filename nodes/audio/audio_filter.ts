import { z } from "zod";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { checkGraph } from "../video/_filter/check_graph.ts";
import { FilterStream } from "../video/_filter/filter_stream.ts";
import { AudioLine } from "./_audio_line.ts";
import { requireFiniteAudio } from "./_frames.ts";

const schema = z.strictObject({
  graph: z.string().min(1).max(100_000).describe("Filter graph in ffmpeg's words").meta({
    examples: ["highpass=f=80"],
  }),
});

/** Options of {@linkcode AudioFilter}. */
export interface AudioFilterOptions {
  /** A filter graph in ffmpeg's words, with one input and one output: `"highpass=f=120,afftdn,loudnorm"`. */
  graph: string;
}

/**
 * Any ffmpeg filter graph over audio frames, as 32-bit floats, in one ffmpeg that runs along
 * (https://ffmpeg.org/ffmpeg-filters.html).
 *
 * The graph is checked when the node opens, before the first frame; ffmpeg's own words are in the error. What only
 * shows with the format of the audio (a channel that it does not have) fails with the first frame.
 *
 * Timestamps are those of ffmpeg, exact to the sample, through filters that delay, cut or shift too. The node
 * adds no delay of its own: what comes out is given at once, the rest at the end. How much the graph adds is the
 * filters' matter. Measured at 48 kHz: `highpass`, `volume`, `acompressor` add nothing, `afftdn` gives sounds 25 ms
 * later, `loudnorm` holds 3 s back. Outputs are as long as the graph makes them, in the rate and channels that it
 * gives, with the metadata of the last frame that does not start after them. Audio of another rate or number of
 * channels, or more than 10 ms before the end of the last frame, ends the graph's input; what it holds comes out,
 * and it starts anew. A gap of 10 ms or more is one for the graph too (`aresample=async=1` fills it). Markers do not
 * wait for samples inside the graph. Empty frames vanish. NaN and infinite samples fail with a `RangeError`.
 *
 * At most 8 outputs wait here beside those of one piece of the pipe (64 KiB) and what ffmpeg itself holds. An
 * interrupt drops what is inside. Graphs can read files and the network (`amovie`, `azmq`): a server offers this
 * node only where its policy says so.
 *
 * @example
 * ```ts
 * import { AudioFilter } from "@remotemedia/sdk/nodes";
 * import { sine } from "@remotemedia/sdk/testing";
 *
 * const quiet = ReadableStream.from(sine({ seconds: 0.1, amplitude: 1 }))
 *   .pipeThrough(new AudioFilter({ graph: "volume=0.5" }));
 * for await (const frame of quiet) console.log(Math.max(...frame.data)); // 0.5
 * ```
 */
export class AudioFilter extends Node<
  AudioFrame,
  AudioFrame,
  AudioFilterOptions,
  AudioFilterOptions
> {
  /** The name of the type. */
  static override readonly type = "AudioFilter";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** What it touches: a server offers it only where its policy says so. */
  static override readonly access: readonly string[] = ["run"];
  #stream: FilterStream<AudioFrame> | undefined;

  /** Checks the graph. @throws {MediaError} with ffmpeg's words, if ffmpeg cannot make it */
  override async open(context: NodeContext): Promise<void> {
    const { graph } = this.options;
    const action = `filter audio in ${context.name}`;
    await checkGraph("audio", graph, { action, signal: context.signal });
    const begin = (first: AudioFrame) => new AudioLine(first, graph);
    this.#stream = new FilterStream({ action, begin }, context);
  }

  /** Gives what the graph has given so far. */
  process(frame: AudioFrame): AsyncGenerator<AudioFrame> | undefined {
    const { numberOfFrames } = requireFiniteAudio(this, frame);
    return numberOfFrames === 0 ? undefined : this.#stream!.push(frame);
  }

  /** Gives what has come out meanwhile. */
  override onWake(): Generator<AudioFrame> | undefined {
    return this.#stream?.ready();
  }

  /** Gives what the graph still holds. */
  override flush(): AsyncGenerator<AudioFrame> {
    return this.#stream!.end();
  }

  /** Drops what is inside the graph. */
  override onInterrupt(): void {
    this.#stream?.drop();
  }

  /** Waits until ffmpeg is gone. */
  override async close(): Promise<void> {
    await this.#stream?.close();
  }
}
