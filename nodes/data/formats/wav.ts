import { AudioFrame } from "../../../core/frames/audio_frame.ts";
import { ByteInput } from "../../io/_byte_input.ts";
import { decodeSamples, encodeSamples, type SampleFormat } from "../../io/wav/samples.ts";
import { frameBytes, makeWavHeader } from "../../io/wav/wav_format.ts";
import { readWavHeader } from "../../io/wav/wav_header.ts";

/** A WAV file of one frame. */
export function encodeWav(frame: AudioFrame, sampleFormat: SampleFormat): Uint8Array<ArrayBuffer> {
  const { sampleRate, numberOfChannels, data } = frame;
  const header = makeWavHeader({ sampleFormat, sampleRate, numberOfChannels });
  const samples = encodeSamples(data, sampleFormat, numberOfChannels);
  const file = new Uint8Array(header.bytes.length + samples.length + samples.length % 2);
  file.set(header.bytes);
  file.set(samples, header.bytes.length);
  const view = new DataView(file.buffer);
  view.setUint32(header.riffSizeAt, file.length - 8, true);
  view.setUint32(header.dataSizeAt, samples.length, true);
  return file;
}

/** The samples of a whole WAV file as one frame, from time 0. @throws if it is none, or cut off in its header */
export async function decodeWav(file: Uint8Array): Promise<AudioFrame> {
  const head = new TextDecoder("latin1").decode(file.subarray(0, 12));
  if (!/^(RIFF|RF64|BW64).{4}WAVE$/s.test(head)) throw new Error("it does not start as a WAV file");
  const input = ByteInput.ofStream(ReadableStream.from([file]));
  const { format, dataBytes = Infinity, headerBytes } = await readWavHeader(input);
  await input.close();
  const { sampleFormat, sampleRate, numberOfChannels } = format;
  const size = frameBytes(format);
  const length = Math.min(dataBytes, file.length - headerBytes);
  const bytes = file.subarray(headerBytes, headerBytes + length - length % size);
  const data = decodeSamples(bytes, sampleFormat, numberOfChannels);
  return new AudioFrame({ data, sampleRate, numberOfChannels });
}
