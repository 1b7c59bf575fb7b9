import type { ByteInput } from "../_byte_input.ts";
import type { AudioStreamInfo, MediaInfo } from "../media_info.ts";
import { headerOf } from "./read_wav.ts";
import { frameBytes } from "./wav_format.ts";

/** What a WAV file or stream is, told from its header. */
export async function probeWav(
  input: ByteInput,
  { name, size }: { name: string; size: number | undefined },
): Promise<MediaInfo> {
  const { format, dataBytes, headerBytes } = await headerOf(input, { name });
  const present = size === undefined ? Infinity : Math.max(0, size - headerBytes);
  const bytes = Math.min(dataBytes ?? Infinity, present);
  const { sampleRate, numberOfChannels, sampleFormat } = format;
  const duration = Number.isFinite(bytes)
    ? Math.floor(bytes / frameBytes(format)) / sampleRate
    : undefined;
  const bitrate = 8 * frameBytes(format) * sampleRate;
  const audio: AudioStreamInfo = {
    kind: "audio",
    index: 0,
    codec: sampleFormat === "u8" ? "pcm_u8" : `pcm_${sampleFormat}le`,
    startTime: 0,
    duration,
    bitrate,
    isDefault: true,
    tags: {},
    sampleRate,
    numberOfChannels,
  };
  const streams = [audio];
  return { format: "wav", duration, startTime: 0, size, bitrate, tags: {}, streams, audio };
}
