import type { NodeConfig } from "../../core/node.ts";
import { FunctionNode, type FunctionPlace } from "./function_node.ts";

/**
 * A node that gives the chunks for which a function, or its promise, is true. To run it elsewhere, export the
 * function and name its module: it travels as that export.
 *
 * @param keep tells whether a chunk stays
 * @param options where it can be found again, and what is the same for all nodes
 * @throws {TypeError} if it is no function, or is to run elsewhere and cannot be found there
 *
 * @example
 * ```ts
 * import { filter, Pipeline } from "@remotemedia/sdk";
 *
 * const pipeline = new Pipeline([filter((value: number) => value > 1)]);
 * console.log(await Array.fromAsync(pipeline.run([1, 2, 3]))); // [2, 3]
 * ```
 */
export function filter<I>(
  keep: (input: I) => boolean | Promise<boolean>,
  options: FunctionPlace & NodeConfig = {},
): FunctionNode<I, I> {
  const { module, export: name, ...config } = options;
  return new FunctionNode<I, I>(keep, { kind: "filter", module, export: name }, config);
}
