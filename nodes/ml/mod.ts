/**
 * Nodes that run models.
 *
 * @module
 */

import type { NodeClass } from "../../core/node.ts";
import { LanguageModel } from "./language_model.ts";
import { OnnxModel } from "./onnx_model.ts";
import { VoiceActivityDetector } from "./voice_activity_detector.ts";

export * from "./language_model.ts";
export * from "./onnx_model.ts";
export * from "./voice_activity_detector.ts";

/** All nodes that run models. */
export const mlNodes: readonly NodeClass[] = [VoiceActivityDetector, OnnxModel, LanguageModel];
