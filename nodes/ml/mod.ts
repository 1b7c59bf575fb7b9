/**
 * Nodes that run models.
 *
 * @module
 */

import type { NodeClass } from "../../core/node.ts";
import { LanguageModel } from "./language_model.ts";
import { OnnxModel } from "./onnx_model.ts";
import { SpeechToText } from "./speech_to_text.ts";
import { TextToSpeech } from "./text_to_speech.ts";
import { TransformersPipeline } from "./transformers_pipeline.ts";
import { VoiceActivityDetector } from "./voice_activity_detector.ts";

export * from "./language_model.ts";
export * from "./onnx_model.ts";
export * from "./speech_to_text.ts";
export * from "./text_to_speech.ts";
export * from "./transformers_pipeline.ts";
export * from "./voice_activity_detector.ts";

/** All nodes that run models. */
export const mlNodes: readonly NodeClass[] = [
  VoiceActivityDetector,
  OnnxModel,
  LanguageModel,
  TransformersPipeline,
  SpeechToText,
  TextToSpeech,
];
