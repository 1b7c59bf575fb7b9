import type { NodeConfig, NodeOutput } from "../../core/node.ts";
import { FunctionNode, type FunctionPlace } from "./function_node.ts";

/**
 * A node that gives what a function makes of each chunk; `undefined` drops it, a generator gives several. To run
 * it elsewhere, export the function and name its module: it travels as that export. It must keep nothing between
 * chunks: where a server dies, it gets its last chunks again.
 *
 * @param work the function
 * @param options where it can be found again, and what is the same for all nodes
 * @throws {TypeError} if it is no function, or is to run elsewhere and cannot be found there
 *
 * @example
 * ```ts
 * import { map, Pipeline } from "@remotemedia/sdk";
 *
 * const pipeline = new Pipeline([map((value: number) => 2 * value)]);
 * console.log(await Array.fromAsync(pipeline.run([1, 2]))); // [2, 4]
 * ```
 */
export function map<I, O>(
  work: (input: I) => NodeOutput<O>,
  options: FunctionPlace & NodeConfig = {},
): FunctionNode<I, O> {
  const { module, export: name, ...config } = options;
  return new FunctionNode<I, O>(work, { kind: "map", module, export: name }, config);
}
