import { MediaError, messageOf } from "../../../core/errors.ts";
import type { AudioFrame } from "../../../core/frames/audio_frame.ts";
import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import { AudioTimeline } from "../_audio_timeline.ts";
import type { MediaSink, WriteJob } from "../_media_sink.ts";
import { openWavOutput, type WavOutput } from "./wav_output.ts";
import { encodeSamples, type SampleFormat } from "./samples.ts";
import { makeWavHeader } from "./wav_format.ts";

/**
 * Writes WAV, without any program. The header says first that the length is not known, which readers take
 * for "until the end": so the file is valid wherever it is cut off. At the end the true length goes in,
 * where the output can be gone back in and the length has room in 32 bits. Holds nothing.
 */
export class WavSink implements MediaSink {
  readonly #job: WriteJob;
  readonly #sampleFormat: SampleFormat;
  #output: WavOutput | undefined;
  #timeline: AudioTimeline | undefined;

  constructor(job: WriteJob) {
    this.#job = job;
    this.#sampleFormat = job.options.sampleFormat ?? "s16";
  }

  async open(): Promise<void> {
    this.#output = await openWavOutput(this.#job);
  }

  async write(frame: AudioFrame | VideoFrame): Promise<void> {
    const { action, options } = this.#job;
    if (frame.kind === "video") {
      if (options.video === false) return;
      throw new MediaError(
        `Cannot ${action} as WAV holds no video: give video false to leave it out`,
      );
    }
    const { gaps } = options;
    if (this.#timeline === undefined) {
      this.#timeline = new AudioTimeline(frame, { action, originUs: frame.timestamp, gaps });
      const { sampleRate, numberOfChannels } = frame;
      const sampleFormat = this.#sampleFormat;
      await this.#guard(
        this.#output!.begin(makeWavHeader({ sampleFormat, sampleRate, numberOfChannels })),
      );
    }
    for (const piece of this.#timeline.piecesOf(frame)) {
      const bytes = encodeSamples(piece, this.#sampleFormat, frame.numberOfChannels);
      await this.#guard(this.#output!.write(bytes));
    }
  }

  async close(): Promise<void> {
    if (this.#timeline === undefined) {
      this.#job.warn(`Nothing was written to ${this.#job.output.name} as no frame came`);
    }
    await this.#guard(this.#output!.close());
  }

  async abort(reason: unknown): Promise<void> {
    await this.#output?.abort(reason);
  }

  async #guard(step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (cause) {
      this.#job.signal.throwIfAborted();
      throw new MediaError(`Cannot ${this.#job.action} as ${messageOf(cause)}`, { cause });
    }
  }
}
