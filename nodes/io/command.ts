import { z } from "zod";
import type { Metadata } from "../../core/frames/mod.ts";
import { messageOf } from "../../core/errors.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { fieldOf, timestampOf } from "../data/_field.ts";
import { type CommandOutput, outputFormats } from "./command/decoders.ts";
import { type CommandInput, type Encoder, encoderOf, inputFormats } from "./command/encoders.ts";
import { Program } from "./command/program.ts";
import { type SampleFormat, sampleFormats } from "./wav/samples.ts";

export type { CommandInput, CommandOutput };

const schema = z.strictObject({
  command: z.string().min(1).describe("Name or path of the program").meta({ examples: ["cat"] }),
  args: z.array(z.string()).default([]).describe("Its arguments"),
  cwd: z.string().optional().describe("Its folder"),
  env: z.record(z.string(), z.string()).default({})
    .describe("Environment variables, beside those of this process"),
  lifetime: z.enum(["stream", "chunk"]).default("stream")
    .describe("Whether one run takes all chunks, or each chunk gets a run of its own"),
  input: z.enum(inputFormats).default("lines").describe("How chunks are written to its input"),
  output: z.enum(outputFormats).default("lines").describe("How its output is read"),
  replies: z.int().min(0).max(10_000).default(0)
    .describe("How many outputs are awaited for each chunk, with lifetime stream"),
  sampleFormat: z.enum(sampleFormats).default("s16").describe("How samples are written and read"),
  sampleRate: z.number().positive().max(768_000).default(16_000)
    .describe("Rate of the raw samples that it writes, in Hz"),
  channels: z.int().min(1).max(32).default(1).describe("Channels of the raw samples it writes"),
  frameMs: z.number().positive().max(60_000).default(20).describe("Length of audio frames, in ms"),
  restarts: z.int().min(0).max(1000).default(0)
    .describe("How often it is started again when it fails, or ends before its input"),
  timeoutMs: z.int().min(1).max(86_400_000).default(60_000)
    .describe("How long it may give nothing while an output or its end is awaited, in ms"),
  maxMessageBytes: z.int().min(1).default(16 * 2 ** 20)
    .describe("The longest line, text or message that is read, in bytes"),
});

/** Options of {@linkcode Command}. */
export interface CommandOptions {
  /** Name or path of the program. */
  command: string;
  /** Its arguments. No shell reads them. @default [] */
  args: string[];
  /** Its folder. @default that of this process */
  cwd?: string;
  /** Environment variables, beside those of this process. @default {} */
  env: Record<string, string>;
  /** Whether one run takes all chunks, or each chunk gets a run of its own. @default "stream" */
  lifetime: "stream" | "chunk";
  /** How chunks are written to its input. @default "lines" */
  input: CommandInput;
  /** How its output is read. @default "lines" */
  output: CommandOutput;
  /** How many outputs are awaited for each chunk, with `lifetime: "stream"`. @default 0 */
  replies: number;
  /** How samples are written, and raw ones read. @default "s16" */
  sampleFormat: SampleFormat;
  /** Rate of the raw samples that it writes, in Hz. @default 16000 */
  sampleRate: number;
  /** Channels of the raw samples that it writes. @default 1 */
  channels: number;
  /** Length of the audio frames that are given, in ms. @default 20 */
  frameMs: number;
  /** How often it is started again when it fails, or ends before its input. @default 0 */
  restarts: number;
  /** How long it may give nothing while an output or its end is awaited, in ms. @default 60000 */
  timeoutMs: number;
  /** The longest line, text or message that is read, in bytes. @default 16 MiB */
  maxMessageBytes: number;
}

/**
 * Any program as a node: chunks go to its standard input, what it writes to its standard output comes out, its
 * standard error goes to the log.
 *
 * | format | input | output |
 * |---|---|---|
 * | `lines` | text, with a line end after it | a text for each line |
 * | `text` | text as it is | all of it as one text, at the end |
 * | `length-prefixed` | bytes or text behind their length (32 bits, big-endian) | bytes, likewise |
 * | `bytes` | bytes or text as they are | bytes, cut anywhere |
 * | `audio` | samples of audio frames, interleaved | audio frames of `frameMs` |
 * | `wav` | the same behind a WAV header | audio frames, in the format that its header tells |
 * | `none` | nothing: a chunk only starts it | |
 *
 * With `lifetime: "chunk"` a program runs for each chunk: its input ends after the chunk, and all that it gives
 * belongs to that chunk, whose time and metadata audio frames go on from. With `"stream"` one program takes
 * all chunks, and what it gives comes out when it gives it; with `replies` the node waits for that many
 * outputs after each chunk.
 *
 * A run that fails, or ends before its input, fails the stream with the exit code and the last line of its
 * standard error, unless there are `restarts` left: then it is started again, and the chunk under way is
 * written again. At most 16 outputs, and one that is begun, wait here. An interrupt ends the program (SIGTERM,
 * after 2 s SIGKILL), and the next chunk starts it anew. Throws a `TypeError` on a chunk that its input
 * cannot take. It runs any program that this process can: a server offers it only where its policy says so.
 *
 * @typeParam O chunks out, by `output`: `Command<AudioFrame>`
 *
 * @example
 * ```ts
 * import { Command } from "@remotemedia/sdk/nodes";
 *
 * const sort = new Command({ command: "sort", args: ["-r"] });
 * const sorted = ReadableStream.from(["a", "c", "b"]).pipeThrough(sort);
 * console.log(await Array.fromAsync(sorted)); // ["c", "b", "a"]
 * ```
 */
export class Command<O = unknown> extends Node<
  unknown,
  O,
  CommandOptions,
  Partial<CommandOptions> & Pick<CommandOptions, "command">
> {
  /** The name of the type. */
  static override readonly type = "Command";
  /** Checks the options. */
  static override readonly options: z.ZodType<CommandOptions> = schema;
  /** What it touches: a server offers it only where its policy says so. */
  static override readonly access: readonly string[] = ["run"];
  readonly #programs = new Set<Program>();
  #context: NodeContext | undefined;
  /** The program that takes all chunks. */
  #current: { program: Program; encode: Encoder } | undefined;
  #restarts = 0;

  /** Keeps the log, and ends programs when the stream ends early. */
  override open(context: NodeContext): void {
    this.#context = context;
    context.signal.addEventListener("abort", () => this.onInterrupt());
  }

  /** Gives what the program gives. */
  process(input: unknown): AsyncGenerator<O> {
    const outputs = this.options.lifetime === "chunk" ? this.#runFor(input) : this.#exchange(input);
    return outputs as AsyncGenerator<O>;
  }

  /** Gives what the program gave by itself. */
  override *onWake(): Generator<O> {
    while (this.#current?.program.hasOutput) yield this.#current.program.take() as O;
  }

  /** Ends the program's input, and gives what it still gives. */
  override async *flush(): AsyncGenerator<O> {
    if (this.#current === undefined) return;
    const { program } = this.#current;
    void program.closeInput();
    yield* this.#outputsOf(program) as AsyncGenerator<O>;
    if (program.failure !== undefined) throw program.failure;
  }

  /** Ends the programs that run. */
  override onInterrupt(): void {
    this.#current = undefined;
    for (const program of this.#programs) void this.#end(program);
  }

  /** Waits until all programs are gone. */
  override async close(): Promise<void> {
    await Promise.all(Array.from(this.#programs, (program) => this.#end(program)));
  }

  /** A run for one chunk. */
  async *#runFor(input: unknown): AsyncGenerator<unknown> {
    for (let tries = 0;; tries++) {
      const { program, encode } = this.#start(input);
      let gave = false;
      try {
        void program.write(encode(input)).then(() => program.closeInput());
        for await (const output of this.#outputsOf(program)) {
          gave = true;
          yield output;
        }
      } finally {
        await this.#end(program);
      }
      if (program.isKilled || program.failure === undefined) return;
      if (gave || tries >= this.options.restarts) throw program.failure;
      this.#warn(program.failure);
    }
  }

  /** One chunk of the program that takes all. */
  async *#exchange(input: unknown): AsyncGenerator<unknown> {
    const { replies, restarts, command } = this.options;
    while (true) {
      const { program, encode } = this.#current ??= this.#start(input);
      let isWritten = false;
      void program.write(encode(input)).then(() => {
        isWritten = true;
        program.tell();
      });
      let count = 0;
      while (!program.isOver) {
        if (program.hasOutput) {
          yield program.take();
          count++;
        } else if (isWritten && count >= replies) return;
        else if (isWritten) await this.#changeOf(program);
        else await program.changed();
        if (program.isKilled) return;
      }
      if (program.isKilled) return;
      this.#current = undefined;
      await this.#end(program);
      const failure = program.failure ?? new Error(`"${command}" ended before its input did`);
      if (this.#restarts++ >= restarts) throw failure;
      this.#warn(failure);
      if (replies > 0 && count >= replies) return;
    }
  }

  /** All that it gives up to its end. */
  async *#outputsOf(program: Program): AsyncGenerator<unknown> {
    while (!program.isOver && !program.isKilled) {
      if (program.hasOutput) yield program.take();
      else await this.#changeOf(program);
    }
  }

  /** Waits for an output or the end, but not for ever. */
  async #changeOf(program: Program): Promise<void> {
    const { timeoutMs, command } = this.options;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      program.tell();
    }, timeoutMs);
    await program.changed();
    clearTimeout(timer);
    if (!isLate || program.hasOutput || program.isOver) return;
    throw new Error(`"${command}" gave nothing for ${timeoutMs} ms`);
  }

  #start(input: unknown): { program: Program; encode: Encoder } {
    const { input: format, sampleFormat, lifetime } = this.options;
    const metadata = fieldOf(input, "metadata") as Metadata | undefined;
    const origin = { timestamp: timestampOf(input), metadata };
    const { log, wake } = this.#context!;
    const onOutput = lifetime === "stream" ? wake : undefined;
    const program = new Program({ ...this.options, origin, onOutput }, log);
    this.#programs.add(program);
    const encode = encoderOf({ input: format, sampleFormat, single: lifetime === "chunk" });
    return { program, encode };
  }

  async #end(program: Program): Promise<void> {
    await program.kill();
    this.#programs.delete(program);
  }

  #warn(failure: unknown): void {
    this.#context?.log.warn("{message}: starting it again", { message: messageOf(failure) });
  }
}
