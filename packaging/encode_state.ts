import { encodeValue } from "../core/codec/mod.ts";
import { PackagingError, SerializationError } from "../core/errors.ts";

/**
 * Encodes what goes along with packaged code: a node's options, an instance's state, a call's arguments.
 *
 * @param value what goes along
 * @param owner whose it is, for the error: `options of Loudness`
 * @returns the value by the codec, see `encodeValue`
 * @throws {PackagingError} naming the path of what cannot travel: a circle, a function, a symbol, an object
 * that lives in this process
 *
 * @example
 * ```ts
 * import { encodeState } from "@remotemedia/sdk/packaging";
 * import assert from "node:assert/strict";
 *
 * const node = { next: {} };
 * node.next = node;
 * assert.throws(() => encodeState(node, "state of Counter"), /state of Counter.*circular/);
 * ```
 */
export function encodeState(value: unknown, owner: string): Uint8Array<ArrayBuffer> {
  try {
    return encodeValue(value);
  } catch (cause) {
    if (!(cause instanceof SerializationError)) throw cause;
    const reason = cause.message.replace(/^Cannot encode value as value/, "");
    throw new PackagingError(`Cannot package the ${owner} as ${owner}${reason}`, { cause });
  }
}
