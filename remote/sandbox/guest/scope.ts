/**
 * What no bundle needs and what would let it reach beyond its sandbox, or bother its host. The walls are
 * the process and its permissions; this only takes the handles off.
 */
const removed = [
  "BroadcastChannel",
  "EventSource",
  "WebSocketStream",
  "WebTransport",
  "Worker",
  "alert",
  "caches",
  "close",
  "confirm",
  "indexedDB",
  "localStorage",
  "onmessage",
  "onmessageerror",
  "postMessage",
  "prompt",
  "sessionStorage",
];

/** Takes the handles off the global scope. */
export function narrowScope(): void {
  for (const name of removed) {
    for (let at: object | null = globalThis; at !== null; at = Object.getPrototypeOf(at)) {
      if (Object.hasOwn(at, name)) Reflect.deleteProperty(at, name);
    }
  }
  const runtime = Deno as unknown as Record<PropertyKey, unknown>;
  for (const name of ["stdin", "stdout", "stderr", "internal", "exit", "core"]) {
    Reflect.deleteProperty(runtime, name);
  }
  for (const symbol of Object.getOwnPropertySymbols(runtime)) {
    Reflect.deleteProperty(runtime, symbol);
  }
}
