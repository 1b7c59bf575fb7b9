import type { Bundle } from "./bundle.ts";

/** How the local modules of a bundle are called in stack traces, wherever it runs. */
const scheme = "bundle:///";

/**
 * Puts the user's own files into a stack trace that comes from where a bundle runs: there, a local module is
 * called `bundle:///lib/gain.ts:12:7`.
 *
 * @param stack the stack, or any text with such places
 * @param bundle the bundle, as `createBundle` gave it; without `root` the text stays as it is
 *
 * @example
 * ```ts
 * import { type Bundle, localizeStack } from "@remotemedia/sdk/packaging";
 *
 * const bundle = { root: new URL("file:///home/me/app/") } as Bundle;
 * const stack = "at gain (bundle:///lib/gain.ts:12:7)";
 * console.log(localizeStack(stack, bundle)); // "at gain (file:///home/me/app/lib/gain.ts:12:7)"
 * ```
 */
export function localizeStack(stack: string, { root }: Pick<Bundle, "root">): string {
  return root === undefined ? stack : stack.replaceAll(scheme, () => root.href);
}
