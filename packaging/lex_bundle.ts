import { PackagingError } from "../core/errors.ts";
import type { ImportUse, ModuleSyntax } from "./_module_syntax.ts";
import { readModule } from "./_read_module.ts";
import { sdkSpecifier } from "./sdk.ts";

/** What a bundle's module takes from outside and gives. */
export interface BundleLexing {
  /** Its imports: the SDK's one specifier or nothing, once for each statement that has it. */
  imports: string[];
  /** The names that it exports, sorted. */
  exports: string[];
}

/** Limits of {@linkcode lexBundle}. */
export interface LexBundleOptions {
  /**
   * The most tokens; bounds the memory and time that reading takes (about 200 bytes and 1 µs each).
   *
   * @default 1_000_000
   */
  maxTokens?: number;
}

/** The default of `maxTokens`: some 4 MB of usual code. */
export const defaultMaxTokens = 1_000_000;

/**
 * Checks that a bundle's module imports nothing but the SDK, in whatever way: static and dynamic imports,
 * re-exports, import attributes, computed specifiers and `import.meta.resolve`. The module is parsed by a
 * whole parser: quick lexers, such as es-module-lexer, take hostile code for a comment or a regular expression.
 *
 * What code builds and evaluates at run time is not seen here; the sandbox's flags deal with that.
 *
 * @param source `bundle.js`
 * @throws {PackagingError} naming the first import that may not be, its line and column
 *
 * @example
 * ```ts
 * import { lexBundle } from "@remotemedia/sdk/packaging";
 * import assert from "node:assert/strict";
 *
 * const { exports } = await lexBundle(
 *   'import { Node } from "@remotemedia/sdk"; export class Mine extends Node {}',
 * );
 * assert.deepEqual(exports, ["Mine"]);
 * await assert.rejects(lexBundle('await import("node:fs")'), /imports "node:fs"/);
 * ```
 */
export async function lexBundle(
  source: string,
  { maxTokens = defaultMaxTokens }: LexBundleOptions = {},
): Promise<BundleLexing> {
  return checkImports(source, await readModule(source, maxTokens));
}

/** Refuses imports that a bundle may not have. */
export function checkImports(source: string, { imports, exports }: ModuleSyntax): BundleLexing {
  for (const use of imports) {
    const fault = faultOf(use);
    if (fault !== undefined) {
      throw new PackagingError(
        `Cannot accept bundle as it ${fault}: ${positionOf(source, use.start)}`,
      );
    }
  }
  return {
    imports: imports.flatMap(({ kind, specifier }) => kind === "meta" ? [] : [specifier!]),
    exports: exports.toSorted(),
  };
}

/** What is wrong with an import; `undefined` if nothing is. */
export function faultOf({ kind, specifier, hasExtras }: ImportUse): string | undefined {
  if (kind === "meta") {
    if (specifier === undefined) return "reads a computed property of import.meta";
    return specifier === "resolve" ? "calls import.meta.resolve" : undefined;
  }
  if (specifier === undefined) return "imports a specifier that is computed at run time";
  if (specifier !== sdkSpecifier) return `imports "${specifier}"`;
  return hasExtras ? `imports "${specifier}" with attributes or a phase` : undefined;
}

function positionOf(source: string, offset: number): string {
  const before = source.slice(0, offset).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}
