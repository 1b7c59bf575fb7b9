/** The server: runs nodes for `RemoteExecutor`s. `deno task serve --help` lists its settings. */

import { assertRuntime } from "./core/runtime.ts";
import { runServer } from "./remote/server/run_server.ts";

if (import.meta.main) {
  assertRuntime();
  Deno.exit(await runServer(Deno.args));
}
