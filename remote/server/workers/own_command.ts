import { ConfigurationError } from "../../../core/errors.ts";
import { readProcFile } from "../../sandbox/host/proc_file.ts";

/**
 * The command that started this process, with all of its permissions and arguments.
 *
 * @throws {ConfigurationError} where the system does not tell
 */
export function ownCommand(): { program: string; args: string[] } {
  let line: string | undefined;
  try {
    line = readProcFile("/proc/self/cmdline");
  } catch (cause) {
    throw new ConfigurationError(
      "Cannot start workers as the command line of this process cannot be read: " +
        "that needs Linux, and --allow-all or --allow-ffi",
      { cause },
    );
  }
  if (line === undefined) {
    throw new ConfigurationError("Cannot start workers as that needs Linux' /proc");
  }
  const [, ...args] = line.split("\0").slice(0, -1);
  return { program: Deno.execPath(), args };
}
