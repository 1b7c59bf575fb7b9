/**
 * Nodes that work on any data, and those that steer the flow.
 *
 * @module
 */

import type { NodeClass } from "../../core/node.ts";
import { Batch } from "./batch.ts";
import { Buffer } from "./buffer.ts";
import { Calculator } from "./calculator.ts";
import { DataAggregator } from "./data_aggregator.ts";
import { DataTransform } from "./data_transform.ts";
import { Deduplicator } from "./deduplicator.ts";
import { Delay } from "./delay.ts";
import { FormatConverter } from "./format_converter.ts";
import { Tap } from "./tap.ts";
import { Throttle } from "./throttle.ts";
import { Validator } from "./validator.ts";

export * from "./batch.ts";
export * from "./buffer.ts";
export * from "./calculator.ts";
export * from "./data_aggregator.ts";
export * from "./data_transform.ts";
export * from "./deduplicator.ts";
export * from "./delay.ts";
export * from "./format_converter.ts";
export * from "./tap.ts";
export * from "./throttle.ts";
export * from "./validator.ts";

/** All nodes that work on data. */
export const dataNodes: readonly NodeClass[] = [
  Calculator,
  DataTransform,
  FormatConverter,
  Validator,
  DataAggregator,
];

/** All nodes that steer the flow of any chunks. */
export const flowNodes: readonly NodeClass[] = [Buffer, Batch, Throttle, Delay, Deduplicator, Tap];
