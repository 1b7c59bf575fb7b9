import { quietProcess } from "./quiet_process.ts";

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
  tellTruth();
  quietProcess();
  for (const name of removed) {
    for (let at: object | null = globalThis; at !== null; at = Object.getPrototypeOf(at)) {
      if (Object.hasOwn(at, name)) Reflect.deleteProperty(at, name);
    }
  }
  Reflect.deleteProperty(Object.getPrototypeOf(navigator), "gpu"); // a driver reads and writes files
  const runtime = Deno as unknown as Record<PropertyKey, unknown>;
  for (const name of ["stdin", "stdout", "stderr", "internal", "exit", "core"]) {
    Reflect.deleteProperty(runtime, name);
  }
  for (const symbol of Object.getOwnPropertySymbols(runtime)) {
    Reflect.deleteProperty(runtime, symbol);
  }
}

/** There is nobody to ask: a right that is not granted is denied. */
function tellTruth(): void {
  const { permissions } = Deno;
  const query = permissions.query.bind(permissions);
  const truth = async (
    of: Deno.PermissionDescriptor,
  ): Promise<{ state: string; partial: boolean }> => {
    const { state, partial } = await query(of);
    return { state: state === "prompt" ? "denied" : state, partial };
  };
  const querySync = permissions.querySync.bind(permissions);
  const truthSync = (of: Deno.PermissionDescriptor): { state: string; partial: boolean } => {
    const { state, partial } = querySync(of);
    return { state: state === "prompt" ? "denied" : state, partial };
  };
  for (const [name, value] of Object.entries({ query: truth, querySync: truthSync })) {
    Object.defineProperty(permissions, name, { value, configurable: true, writable: true });
  }
}
