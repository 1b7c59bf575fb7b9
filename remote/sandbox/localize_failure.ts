import { localizeStack } from "../../packaging/localize_stack.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import type { Failure } from "./failure.ts";

/** A failure with the user's own files in its stacks, where this machine has them. */
export function localizeFailure(failure: Failure, bundle: Pick<Bundle, "root">): Failure {
  const { cause } = failure;
  return {
    ...failure,
    stack: localizeStack(failure.stack, bundle),
    ...(cause === undefined ? {} : { cause: localizeFailure(cause, bundle) }),
  };
}

/** Puts the user's own files into the stacks of an error and of its causes. */
export function localizeError(error: unknown, bundles: Iterable<Pick<Bundle, "root">>): void {
  const hidden = { configurable: true, enumerable: false, writable: true };
  for (let at = error; at instanceof Error; at = at.cause) {
    let stack = at.stack ?? "";
    for (const bundle of bundles) stack = localizeStack(stack, bundle);
    if (stack !== at.stack) Object.defineProperty(at, "stack", { value: stack, ...hidden });
  }
}
