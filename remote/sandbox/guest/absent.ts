import { ConfigurationError } from "../../../core/errors.ts";

/**
 * Stands in a sandbox for a part of the SDK that is not there, so that a module that also runs elsewhere can
 * import it: only its use fails.
 *
 * @param name the name of the export
 */
export function absent(name: string): () => never {
  return function () {
    throw new ConfigurationError(
      `Cannot use ${name} in a sandbox: its SDK has core and codec only`,
    );
  };
}
