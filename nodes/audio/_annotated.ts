import { cannot } from "../../core/errors.ts";
import type { AudioFrame } from "../../core/frames/audio_frame.ts";

/**
 * Whether a frame is speech, as a `VoiceActivityDetector` in front said in `metadata.speech`.
 *
 * @throws {TypeError} if nobody did
 */
export function isSpeech({ type }: { readonly type: string }, { metadata }: AudioFrame): boolean {
  const { speech } = metadata;
  if (typeof speech === "boolean") return speech;
  const rule =
    'metadata.speech must be a boolean (put a VoiceActivityDetector({ emit: "annotate" }) in front)';
  throw new TypeError(cannot(`take frame in ${type}`, { rule, value: speech }));
}
