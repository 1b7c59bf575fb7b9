import type { WriteJob } from "../_media_sink.ts";
import { dropFile, keepFile, openDevice, type OutputFile, prepareFile } from "../_output.ts";
import { StreamOutput } from "../_stream_output.ts";
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
export async function openWavOutput({ action, output, signal }: WriteJob): Promise<WavOutput> {
  if (output.kind === "stream") {
    const { staysOpen } = output;
    return new WavStream(new StreamOutput(output.stream(), { staysOpen, signal }));
  }
  const file = await prepareFile(output.path, { action, isValidIfCutOff: true });
  if (file !== undefined) return new WavFile(file);
  const device = await openDevice(output.path);
  return new WavStream(new StreamOutput(device, { staysOpen: false, signal }));
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
    // made anew: two who write to one file would mix their samples
    this.#handle = await Deno.open(this.#file.workPath, { write: true, createNew: true });
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
  readonly #output: StreamOutput;

  constructor(output: StreamOutput) {
    this.#output = output;
  }

  begin({ bytes }: WavHeader): Promise<void> {
    return this.#output.write(bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#output.write(bytes);
  }

  close(): Promise<void> {
    return this.#output.close();
  }

  abort(reason: unknown): Promise<void> {
    this.#output.abort(reason);
    return Promise.resolve();
  }
}
