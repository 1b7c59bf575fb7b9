/**
 * How a module that runs elsewhere looks from here: every member asynchronous.
 *
 * @module
 */

/** Any arguments. */
// deno-lint-ignore no-explicit-any
export type AnyArgs = any[];
/** Any function. */
export type AnyFunction = (...args: AnyArgs) => unknown;
/** Any class. */
export type AnyClass = abstract new (...args: AnyArgs) => unknown;

/** Values that travel as such, although they have methods. */
export type ByValue =
  | Date
  | RegExp
  | Error
  | ArrayBuffer
  | ArrayBufferView
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | readonly unknown[]
  | { readonly kind: "audio" | "video" | "encoded" | "tensor" | "marker" };

/** The names of an object's methods. */
export type MethodsOf<T> = { [K in keyof T]: T[K] extends AnyFunction ? K : never }[keyof T];

/** What a value becomes on its way here: an object with methods stays there, everything else is copied. */
export type RemoteValue<T> = T extends AnyClass | AnyFunction ? Remote<T>
  : T extends Iterator<infer Y, infer R, unknown> ? AsyncGenerator<RemoteValue<Y>, R, undefined>
  : T extends AsyncIterator<infer Y, infer R, unknown>
    ? AsyncGenerator<RemoteValue<Y>, R, undefined>
  : T extends ByValue ? T
  : T extends object ? [MethodsOf<T>] extends [never] ? T : RemoteObject<T>
  : T;

/** What a call gives: a promise, or for a generator a stream of its values. */
export type RemoteResult<T> = [Awaited<T>] extends [never] ? Promise<never>
  : Awaited<T> extends Iterator<infer Y, infer R, unknown>
    ? AsyncGenerator<RemoteValue<Y>, R, undefined> & PromiseLike<RemoteValue<Awaited<T>>>
  : Awaited<T> extends AsyncIterator<infer Y, infer R, unknown>
    ? AsyncGenerator<RemoteValue<Y>, R, undefined> & PromiseLike<RemoteValue<Awaited<T>>>
  : Promise<RemoteValue<Awaited<T>>>;

/** What may be given where `T` is wanted there: a value, or an object that lives there already; also inside of others. */
export type RemoteArgument<T> = T extends readonly unknown[]
  ? { [K in keyof T]: RemoteArgument<T[K]> }
  : T extends ByValue | AnyFunction ? T
  : T extends object ? [MethodsOf<T>] extends [never] ? { [K in keyof T]: RemoteArgument<T[K]> }
    : T | RemoteObject<T>
  : T;

/** Arguments of a function there. */
export type RemoteArguments<A extends AnyArgs> = { [K in keyof A]: RemoteArgument<A[K]> };

/** A member: a function to call, a class to construct, or a property to await. */
export type RemoteMember<T> = T extends AnyClass ? RemoteClass<T>
  : T extends (...args: infer A) => infer R ? (...args: RemoteArguments<A>) => RemoteResult<R>
  : PromiseLike<RemoteValue<T>>;

/** A class there: `await new module.Counter(10)` gives an object there. */
export type RemoteClass<T extends AnyClass> =
  & (T extends abstract new (...args: infer A) => infer I
    ? new (...args: RemoteArguments<A>) => PromiseLike<RemoteObject<I>>
    : never)
  & { readonly [K in Exclude<keyof T, "prototype">]: RemoteMember<T[K]> };

/** An object there; disposing it lets it go, calling its own disposer first if it has one. */
export type RemoteObject<T> =
  & {
    [K in keyof T as K extends string ? K : never]: RemoteMember<T[K]>;
  }
  & AsyncDisposable;

/**
 * Whatever it is, there: a module (`Remote<typeof import("./m.ts")>`), a class, a function or an object.
 *
 * Functions and methods give promises, generators asynchronous generators, properties are awaited. Assigning
 * to a property sends the value; if that fails, the next use of the object does. An object that lives there may be
 * given to functions of its own module, which get the object itself.
 *
 * @example
 * ```ts
 * import type { Remote } from "@remotemedia/sdk/remote";
 *
 * interface Statistics {
 *   mean(values: number[]): number;
 * }
 * const half = async (statistics: Remote<Statistics>) => await statistics.mean([0, 1]);
 * console.log(typeof half); // "function"
 * ```
 */
export type Remote<T> = T extends AnyClass ? RemoteClass<T>
  : T extends (...args: infer A) => infer R ? (...args: RemoteArguments<A>) => RemoteResult<R>
  : RemoteObject<T>;
