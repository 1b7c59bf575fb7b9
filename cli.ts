/** The command line: `deno task cli --help`. */

import { runCli } from "./cli/mod.ts";
import { assertRuntime } from "./core/runtime.ts";

if (import.meta.main) {
  assertRuntime();
  Deno.exit(await runCli(Deno.args));
}
