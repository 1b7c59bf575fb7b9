import { decodeValue, encodeValue } from "../../../core/codec/mod.ts";
import { AudioFrame, EncodedFrame, Marker, Tensor, VideoFrame } from "../../../core/frames/mod.ts";
import { errorOf, failureOf } from "../failure.ts";
import type { Callback, GuestMessage, Operation, Outcome } from "../protocol.ts";
import type { Exports } from "./guest_segment.ts";
import { invoke } from "./invoke.ts";

/** What a function or method is called on. */
interface Place {
  parent: unknown;
  key: string | undefined;
  value: unknown;
}

type Callable = (...args: unknown[]) => unknown;

/** The objects of the bundle that the host can reach, by number; 0 is the module itself. */
export class GuestObjects {
  readonly #exports: Exports;
  readonly #targets = new Map<number, unknown>();
  readonly #say: (message: GuestMessage) => void;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #nextTarget = 1;
  #nextCall = 1;

  /** @param exports the module; @param say sends a message to the host */
  constructor(exports: Exports, say: (message: GuestMessage) => void) {
    this.#exports = exports;
    this.#targets.set(0, exports);
    this.#say = say;
  }

  /** Does one thing and tells what it gave. Never fails: the host is told. */
  async operate(id: number, operation: Operation): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#perform(operation);
      this.#say({ type: "operated", id, outcome });
    } catch (error) {
      outcome = { kind: "failed", failure: failureOf(error) };
      this.#say({ type: "operated", id, outcome });
    }
  }

  /** What a callback gave. */
  calledBack(id: number, outcome: Outcome): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (outcome.kind === "failed") call?.reject(errorOf(outcome.failure));
    else if (outcome.kind === "value") call?.resolve(decodeValue(outcome.value));
  }

  async #perform(operation: Operation): Promise<Outcome> {
    switch (operation.kind) {
      case "apply": {
        const { parent, value } = this.#find(operation);
        const args = this.#arguments(operation);
        return this.#outcomeOf(await Reflect.apply(asFunction(value, operation), parent, args));
      }
      case "construct": {
        const { value } = this.#find(operation);
        const made = Reflect.construct(asFunction(value, operation), this.#arguments(operation));
        return this.#keep(made);
      }
      case "get":
        return this.#outcomeOf(await this.#find(operation).value);
      case "set": {
        const { parent, key } = this.#find(operation);
        if (!Reflect.set(Object(parent), key!, decodeValue(operation.value))) {
          throw new TypeError(`Cannot set "${operation.path.join(".")}" as it is read-only`);
        }
        return this.#outcomeOf(undefined);
      }
      case "invoke":
        return { kind: "value", value: encodeValue(await invoke(this.#exports, operation)) };
      case "next": {
        const generator = this.#targets.get(operation.target) as AsyncIterator<unknown>;
        return await this.#step(operation.target, generator);
      }
      case "return": {
        const generator = this.#targets.get(operation.target) as AsyncIterator<unknown> | undefined;
        this.#targets.delete(operation.target);
        await generator?.return?.();
        return this.#outcomeOf(undefined);
      }
      case "release": {
        const value = this.#targets.get(operation.target);
        if (operation.target !== 0) this.#targets.delete(operation.target);
        await dispose(value);
        return this.#outcomeOf(undefined);
      }
    }
  }

  async #step(target: number, generator: AsyncIterator<unknown> | undefined): Promise<Outcome> {
    if (generator === undefined) return { kind: "done", value: encodeValue(undefined) };
    try {
      const { done, value } = await generator.next();
      if (!done) return this.#outcomeOf(await value);
      this.#targets.delete(target);
      return { kind: "done", value: encodeValue(value) };
    } catch (error) {
      this.#targets.delete(target);
      throw error;
    }
  }

  #find({ target, path }: { target: number; path: readonly string[] }): Place {
    if (!this.#targets.has(target)) {
      throw new ReferenceError("Cannot use a remote object that was released");
    }
    let place: Place = { parent: undefined, key: undefined, value: this.#targets.get(target) };
    for (const key of path) {
      const { value: parent } = place;
      if (parent === undefined || parent === null) {
        throw new TypeError(`Cannot read "${path.join(".")}" as "${place.key}" is ${parent}`);
      }
      place = { parent, key, value: (parent as Record<string, unknown>)[key] };
    }
    return place;
  }

  #arguments({ args, callbacks }: { args: Uint8Array; callbacks: readonly Callback[] }): unknown[] {
    const values = decodeValue(args) as unknown[];
    for (const callback of callbacks) {
      const { path } = callback;
      let parent = values as unknown as Record<string | number, unknown>;
      for (const step of path.slice(0, -1)) parent = parent[step] as typeof parent;
      parent[path.at(-1)!] = "id" in callback
        ? (...given: unknown[]) => this.#callBack(callback.id, given)
        : this.#find({ target: callback.target, path: [] }).value;
    }
    return values;
  }

  async #callBack(callback: number, given: unknown[]): Promise<unknown> {
    const id = this.#nextCall++;
    this.#say({ type: "call-back", id, callback, args: encodeValue(given) });
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(id, call);
    return await call.promise;
  }

  #outcomeOf(value: unknown): Outcome {
    if (isIterator(value)) {
      this.#targets.set(this.#nextTarget, value);
      return { kind: "generator", target: this.#nextTarget++ };
    }
    if (typeof value === "function" || isObject(value)) return this.#keep(value);
    return { kind: "value", value: encodeValue(value) };
  }

  #keep(value: unknown): Outcome {
    this.#targets.set(this.#nextTarget, value);
    return { kind: "object", target: this.#nextTarget++, callable: typeof value === "function" };
  }
}

function asFunction(value: unknown, { path }: { path: readonly string[] }): Callable {
  if (typeof value === "function") return value as Callable;
  const what = path.length === 0 ? "the object" : `"${path.join(".")}"`;
  throw new TypeError(`Cannot call ${what} as it is not a function`);
}

function isIterator(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    typeof (value as { next?: unknown }).next === "function" &&
    (Symbol.iterator in value || Symbol.asyncIterator in value);
}

const byValue = [Error, Date, Map, Set, RegExp, ArrayBuffer, Number, String, Boolean, Array];
const frames = [AudioFrame, VideoFrame, EncodedFrame, Tensor, Marker];

/** Whether a value is an instance of a class of the bundle, and stays where it is. */
function isObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return Object.values(value).some((member) => typeof member === "function");
  }
  return ![...byValue, ...frames].some((type) => value instanceof type);
}

/** Lets an object that is no longer wanted clean up, if it can. */
async function dispose(value: unknown): Promise<void> {
  if (typeof value !== "object" || value === null) return;
  if (Symbol.asyncDispose in value) await (value as AsyncDisposable)[Symbol.asyncDispose]();
  else if (Symbol.dispose in value) (value as Disposable)[Symbol.dispose]();
}
