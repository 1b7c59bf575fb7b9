/** The server: runs nodes for `RemoteExecutor`s. `deno task serve --help` lists its options. */

import { assertRuntime } from "./core/runtime.ts";
import { serve } from "./remote/server/mod.ts";

if (import.meta.main) {
  assertRuntime();
  const server = await serve();
  console.log(`Listening on ${server.address}`);
}
