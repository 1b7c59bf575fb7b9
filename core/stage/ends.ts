/** What an {@linkcode Inlet} gives while it has no chunk. */
export const EMPTY: unique symbol = Symbol("no chunk yet");

/** What an {@linkcode Inlet} gives after its last chunk. */
export const END: unique symbol = Symbol("no chunk follows");

/** Where chunks are taken from without a stream between, which costs more than a fast node. */
export interface Inlet {
  /** The next chunk, {@linkcode EMPTY} or {@linkcode END}. */
  take(): unknown;
}

/** Where chunks go without a stream between. A readable stream's controller is one. */
export interface Outlet {
  /** Takes a chunk. `true` if it wants another one at once; else its owner tells when it does. */
  enqueue(chunk: unknown): void | boolean;
  /** No chunk follows. */
  close(): void;
  /** Nothing follows, for `reason`. */
  error(reason: unknown): void;
}

/** What drives a line between an {@linkcode Inlet} and an {@linkcode Outlet}. */
export interface Drive {
  /** The inlet has chunks again, or its end. */
  more(): void;
  /** The outlet wants a chunk. */
  want(): void;
}
