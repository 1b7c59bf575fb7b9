/** Runs a model. */
import { AudioFrame, Pipeline } from "../../../core/mod.ts";
import { VoiceActivityDetector } from "../../../nodes/ml/mod.ts";

const frame = new AudioFrame({ data: new Float32Array(1600), sampleRate: 16_000 });
await Array.fromAsync(new Pipeline([new VoiceActivityDetector()]).run([frame]));
