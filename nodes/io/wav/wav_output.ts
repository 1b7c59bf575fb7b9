import type { WriteJob } from "../_media_sink.ts";
import { dropFile, keepFile, type OutputFile, prepareFile } from "../_output.ts";
import type { WavHeader } from "./wav_format.ts";

/** Where the bytes of a WAV file go. */
export interface WavOutput {
  begin(header: WavHeader): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(reason: unknown): Promise<void>;
}

/**
 * Opens the output: a file gets its true length at the end, a stream, pipe or device cannot.
 *
 * @throws {MediaError} if it cannot be written
 */
export async function openWavOutput({ action, output }: WriteJob): Promise<WavOutput> {
  if (output.kind === "stream") return new WavStream(output.stream(), output.staysOpen);
  const file = await prepareFile(output.path, { action, isValidIfCutOff: true });
  if (file !== undefined) return new WavFile(file);
  const device = await Deno.open(output.path, { write: true });
  return new WavStream(device.writable, false);
}

class WavFile implements WavOutput {
  readonly #file: OutputFile;
  #handle: Deno.FsFile | undefined;
  #header: WavHeader | undefined;
  #dataBytes = 0;

  constructor(file: OutputFile) {
    this.#file = file;
  }

  async begin(header: WavHeader): Promise<void> {
    this.#header = header;
    this.#handle = await Deno.open(this.#file.workPath, {
      write: true,
      create: true,
      truncate: true,
    });
    await this.#put(header.bytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#dataBytes += bytes.length;
    await this.#put(bytes);
  }

  async close(): Promise<void> {
    if (this.#header === undefined) return;
    const { bytes, riffSizeAt, dataSizeAt } = this.#header;
    const padding = this.#dataBytes % 2;
    await this.#put(new Uint8Array(padding));
    const riffBytes = bytes.length - 8 + this.#dataBytes + padding;
    if (riffBytes < 0xffffffff) {
      await this.#putSize(riffSizeAt, riffBytes);
      await this.#putSize(dataSizeAt, this.#dataBytes);
    }
    this.#closeHandle();
    await keepFile(this.#file);
  }

  async abort(): Promise<void> {
    const isBegun = this.#handle !== undefined;
    this.#closeHandle();
    if (isBegun) await dropFile(this.#file);
  }

  #closeHandle(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }

  async #put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#handle!.write(bytes.subarray(at));
  }

  async #putSize(at: number, size: number): Promise<void> {
    await this.#handle!.seek(at, Deno.SeekMode.Start);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, size, true);
    await this.#put(bytes);
  }
}

class WavStream implements WavOutput {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #staysOpen: boolean;

  constructor(stream: WritableStream<Uint8Array>, staysOpen: boolean) {
    this.#writer = stream.getWriter();
    this.#staysOpen = staysOpen;
  }

  begin({ bytes }: WavHeader): Promise<void> {
    return this.#writer.write(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes);
  }

  async close(): Promise<void> {
    if (this.#staysOpen) this.#writer.releaseLock();
    else await this.#writer.close();
  }

  async abort(reason: unknown): Promise<void> {
    if (this.#staysOpen) this.#writer.releaseLock();
    else await this.#writer.abort(reason);
  }
}
