import { extname } from "node:path";
import { MediaError } from "../../../core/errors.ts";
import type { AudioFrame } from "../../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import type { MediaSink, WriteJob } from "../_media_sink.ts";
import { StreamOutput } from "../_stream_output.ts";
import { dropFile, keepFile, openDevice, type OutputFile, prepareFile } from "../_output.ts";
import { encodeArgs, isAudioFormat } from "./encode_args.ts";
import { FirstFramesGate } from "./first_frames.ts";
import { type FirstFrames, FrameNut } from "./frame_nut.ts";
import { ToolProcess } from "./tool.ts";
import { variableRateArgs } from "./version.ts";

/**
 * Writes any format through ffmpeg. Frames go to it as NUT in one pipe; an ffmpeg that does not keep up holds
 * up whoever writes. A file has another name until it is complete.
 */
export class EncodeSink implements MediaSink {
  readonly #job: WriteJob;
  readonly #format: string;
  readonly #gate: FirstFramesGate;
  /** Where ffmpeg writes: a file, or what it gives is passed on. */
  #file: OutputFile | undefined;
  #stream: StreamOutput | undefined;
  #nut: FrameNut | undefined;
  #tool: ToolProcess | undefined;
  #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  #passing: Promise<void> | undefined;

  constructor(job: WriteJob) {
    const { action, output, options } = job;
    const ending = output.kind === "file" ? extname(output.path).slice(1).toLowerCase() : "";
    this.#job = job;
    this.#format = options.format ?? ending;
    this.#gate = new FirstFramesGate(options, { action, isAudioOnly: isAudioFormat(this.#format) });
  }

  async open(): Promise<void> {
    const { action, output, signal } = this.#job;
    if (output.kind === "stream") {
      const { staysOpen } = output;
      this.#stream = new StreamOutput(output.stream(), { staysOpen, signal });
      return;
    }
    this.#file = await prepareFile(output.path, { action, isValidIfCutOff: false });
    if (this.#file !== undefined) return;
    const device = await openDevice(output.path);
    this.#stream = new StreamOutput(device, { staysOpen: false, signal });
  }

  async write(frame: AudioFrame | VideoFrame): Promise<void> {
    const { action, options } = this.#job;
    if (options[frame.kind] === false) return;
    if (frame.kind === "video" && options.video === undefined && isAudioFormat(this.#format)) {
      throw new MediaError(
        `Cannot ${action} as ${this.#format} holds no video: give video false to leave it out`,
      );
    }
    if (this.#nut !== undefined) return await this.#encode(frame);
    const first = this.#gate.push(frame);
    if (first !== undefined) await this.#begin(first);
  }

  async close(): Promise<void> {
    if (this.#nut === undefined) {
      const first = this.#gate.end();
      if (first !== undefined) await this.#begin(first);
    }
    if (this.#tool === undefined) {
      this.#job.warn(`Nothing was written to ${this.#job.output.name} as no frame came`);
    } else {
      await this.#input!.close().catch(() => {}); // its end tells why
      await this.#finish();
    }
    if (this.#file !== undefined && this.#tool !== undefined) await keepFile(this.#file);
    await this.#stream?.close();
  }

  async abort(reason: unknown): Promise<void> {
    await this.#input?.abort(reason).catch(() => {}); // broken already, perhaps
    await this.#tool?.kill();
    await this.#passing?.catch(() => {}); // told where it was awaited
    if (this.#file !== undefined && this.#tool !== undefined) await dropFile(this.#file);
    this.#stream?.abort(reason);
  }

  async #begin(first: FirstFrames): Promise<void> {
    const { action, options, signal } = this.#job;
    const nut = this.#nut = new FrameNut(first, { action, gaps: options.gaps });
    const variableRate = first.video === undefined ? [] : await variableRateArgs(options.ffmpeg);
    const target = {
      url: this.#file === undefined ? "pipe:1" : `file:${this.#file.workPath}`,
      format: this.#file === undefined ? this.#format : options.format,
      isSeekable: this.#file !== undefined,
      variableRate,
    };
    const tool = this.#tool = ToolProcess.start(
      "ffmpeg",
      encodeArgs(nut.streams, target, options),
      {
        action,
        program: options.ffmpeg,
        stdin: true,
        stdout: this.#stream !== undefined,
      },
    );
    signal.addEventListener("abort", () => void tool.kill(), { once: true });
    this.#input = tool.stdin.getWriter();
    if (this.#stream !== undefined) {
      this.#passing = this.#stream.writeAll(tool.stdout);
      this.#passing.catch(() => void tool.kill()); // awaited when writing fails or ends
    }
    await this.#put(nut.header());
    for (const frame of this.#gate.take()) await this.#encode(frame);
  }

  async #encode(frame: AudioFrame | VideoFrame): Promise<void> {
    for (const piece of this.#nut!.piecesOf(frame)) await this.#put(piece);
  }

  /** Waits for ffmpeg's end; one that was asked for fails with the reason given for it. */
  async #finish(): Promise<void> {
    try {
      await Promise.all([this.#passing, this.#tool!.finish()]);
    } finally {
      this.#job.signal.throwIfAborted();
    }
  }

  async #put(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#input!.write(bytes);
    } catch (cause) {
      await this.#finish();
      throw this.#tool!.failure("ffmpeg ended before its input did", cause);
    }
  }
}
