/**
 * Nodes that work on text.
 *
 * @module
 */

import type { NodeClass } from "../../core/node.ts";
import { SentenceAggregator } from "./sentence_aggregator.ts";
import { TextProcessor } from "./text_processor.ts";
import { TextTransform } from "./text_transform.ts";

export * from "./sentence_aggregator.ts";
export * from "./text_processor.ts";
export * from "./text_transform.ts";

/** All nodes that work on text. */
export const textNodes: readonly NodeClass[] = [TextProcessor, TextTransform, SentenceAggregator];
