/** What kinds of thing a node's method gave. */

export function isPromise(value: object): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown }).then === "function";
}

export function isIterator(value: object): value is Iterator<unknown> | AsyncIterator<unknown> {
  return typeof (value as { next?: unknown }).next === "function";
}

/** Whether a function is declared `async`, so that each call gives a promise. */
export function isAsyncFunction(method: object): boolean {
  const tag = Object.prototype.toString.call(method);
  return tag === "[object AsyncFunction]" || tag === "[object AsyncGeneratorFunction]";
}

/** Whether an output comes later: from a promise or a generator. */
export function isDeferred(value: unknown): boolean {
  return typeof value === "object" && value !== null && (isPromise(value) || isIterator(value));
}
