import { ConfigurationError } from "../core/errors.ts";

/** What the exit codes mean, for `--help` and the documentation. */
export const exitCodes = `Exit codes:
  0    all done
  1    a pipeline, file or server failed
  2    the command line or manifest is wrong
  3    some of several files failed, the others are done
  130  ended by Ctrl-C; what is written is valid
  141  nobody reads the standard output any more
  143  ended by SIGTERM; what is written is valid`;

/** Ends the program with a code; what there was to say has been said. */
export class Stop extends Error {
  /** The exit code. */
  readonly code: number;

  /** @param code the exit code */
  constructor(code: number) {
    super(`exit code ${code}`);
    this.code = code;
  }
}

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  const isUsage = error instanceof ConfigurationError || error instanceof TypeError ||
    error instanceof RangeError;
  return isUsage ? 2 : 1;
}
