import { decodeValue, encodeValue } from "../../core/codec/mod.ts";
import { errorOf, failureOf } from "../sandbox/failure.ts";
import type { Callback, Operation, Outcome } from "../sandbox/protocol.ts";

/** The most functions of one module's caller that can be called back. */
const MAX_CALLBACKS = 10_000;
/** How deep functions are looked for among arguments. */
const MAX_DEPTH = 8;

/** A way to a module that runs elsewhere. */
export interface ObjectChannel {
  /** Does one thing there. */
  operate(operation: Operation): Promise<Outcome>;
  /** Ends it. */
  close(): Promise<void>;
}

/** What a proxy stands for, where it is an object of a module and not something below one. */
export interface Reference {
  /** The functions that are given to its module: one table a module. */
  callbacks: CallbackTable;
  /** Its number there. */
  target: number;
  /** Whether it is a function. */
  callable: boolean;
}

/** What proxies stand for. */
export const references: WeakMap<object, Reference> = new WeakMap();

type AnyFunction = (...args: unknown[]) => unknown;

/**
 * The functions that were given as arguments, by number. They are kept for as long as the module is used,
 * as it may keep them too; the same function is only kept once.
 */
export class CallbackTable {
  readonly #numbers = new Map<AnyFunction, number>();
  readonly #functions = new Map<number, AnyFunction>();

  /** Calls one of them with encoded arguments. Never fails: the outcome tells. */
  readonly call = async (callback: number, args: Uint8Array): Promise<Outcome> => {
    try {
      const called = this.#functions.get(callback);
      if (called === undefined) {
        throw new ReferenceError("Cannot call back as there is no such function");
      }
      return { kind: "value", value: encodeValue(await called(...decodeValue(args) as unknown[])) };
    } catch (error) {
      return { kind: "failed", failure: failureOf(error) };
    }
  };

  /**
   * Arguments as bytes, with the functions and the module's own objects among them by number.
   *
   * @throws {SerializationError} if an argument cannot travel
   * @throws {RangeError} if there are too many functions
   * @throws {TypeError} if an argument is a remote object of another module
   */
  encode(args: readonly unknown[]): { args: Uint8Array; callbacks: Callback[] } {
    const callbacks: Callback[] = [];
    const values = this.#withoutFunctions(args, [], callbacks);
    return { args: encodeValue(values), callbacks };
  }

  /** A copy of the value in which `null` stands for each function; the value itself if it has none. */
  #withoutFunctions(value: unknown, path: (string | number)[], found: Callback[]): unknown {
    if (typeof value === "function") {
      found.push({ path, ...this.#standIn(value as AnyFunction) });
      return null;
    }
    if (typeof value !== "object" || value === null || path.length > MAX_DEPTH) return value;
    if (Array.isArray(value)) {
      const items = value.map((item, index) =>
        this.#withoutFunctions(item, [...path, index], found)
      );
      return items.some((item, index) => item !== value[index]) ? items : value;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return value;
    const entries = Object.entries(value);
    const copies = entries.map(([key, item]): [string, unknown] => [
      key,
      this.#withoutFunctions(item, [...path, key], found),
    ]);
    return copies.some(([, item], index) => item !== entries[index]![1])
      ? Object.fromEntries(copies)
      : value;
  }

  /** What goes in the place of a function, or of a proxy of a remote object, which looks like one. */
  #standIn(value: AnyFunction): { id: number } | { target: number } {
    const reference = references.get(value);
    if (reference?.callbacks === this) return { target: reference.target };
    if (reference !== undefined && !reference.callable) {
      throw new TypeError("Cannot pass remote object as it is of another module");
    }
    return { id: this.#numberOf(value) };
  }

  #numberOf(called: AnyFunction): number {
    const known = this.#numbers.get(called);
    if (known !== undefined) return known;
    if (this.#numbers.size >= MAX_CALLBACKS) {
      throw new RangeError(`Cannot pass function as there may be ${MAX_CALLBACKS} at most`);
    }
    const number = this.#numbers.size + 1;
    this.#numbers.set(called, number);
    this.#functions.set(number, called);
    return number;
  }
}

/** The value of an outcome that has one. Throws what the other side threw. */
export function valueOf(outcome: Outcome): unknown {
  switch (outcome.kind) {
    case "value":
    case "done":
      return decodeValue(outcome.value);
    case "failed":
      throw errorOf(outcome.failure);
    case "object":
    case "generator":
      return undefined;
  }
}
