import type { NodeContract } from "../../../testing/mod.ts";

/** A contract whose kinds of chunks only it has to know. */
export type AnyContract = NodeContract<unknown, unknown>;

/** Checks a contract's types, then forgets them, so that contracts go into one list. */
export function contractOf<I, O>(contract: NodeContract<I, O>): AnyContract {
  return contract as unknown as AnyContract;
}
