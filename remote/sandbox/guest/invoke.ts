import { decodeValue } from "../../../core/codec/mod.ts";
import type { Operation } from "../protocol.ts";
import type { Exports } from "./guest_segment.ts";

/** A class whose instances can travel. */
interface Travelling {
  new (): Record<string, unknown>;
  restore?(state: unknown): Record<string, unknown>;
}

/**
 * Makes an instance of its state, calls one of its methods, and gives the result and the new state.
 *
 * @throws {TypeError} if there is no such class or method; and whatever the method throws
 */
export async function invoke(
  exports: Exports,
  { path: [name = "", method = ""], packed }: Operation & { kind: "invoke" },
): Promise<{ result: unknown; state: unknown }> {
  const exported = exports[name];
  if (typeof exported !== "function") throw new TypeError(`Cannot call ${name} as it is no class`);
  const { state, args } = decodeValue(packed) as { state: unknown; args: unknown[] };
  const instance = instanceOf(exported as unknown as Travelling, state);
  const called = instance[method];
  if (typeof called !== "function") {
    throw new TypeError(`Cannot call ${name}.${method} as it is no method`);
  }
  const result: unknown = await Reflect.apply(called, instance, args);
  return { result, state: stateOf(instance) };
}

function instanceOf(exported: Travelling, state: unknown): Record<string, unknown> {
  if (exported.restore !== undefined) return exported.restore(state);
  return Object.assign(Object.create(exported.prototype), state);
}

function stateOf(instance: Record<string, unknown>): unknown {
  return typeof instance.snapshot === "function" ? instance.snapshot() : { ...instance };
}
