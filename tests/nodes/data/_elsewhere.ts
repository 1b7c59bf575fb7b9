import type { Executor, NodeClass } from "../../../core/mod.ts";
import { startPair } from "../../remote/_server.ts";

/** Starts a server of these nodes, for the half of the contract that runs elsewhere. */
export function elsewhere(nodes: readonly NodeClass[]) {
  return async (): Promise<{ executor: Executor; close(): Promise<void> }> => {
    const policy = { nodes: nodes.map(({ name, type = name }) => type) };
    const pair = await startPair({ server: { nodes, policy } });
    return { executor: pair.executor, close: async () => await pair[Symbol.asyncDispose]() };
  };
}
