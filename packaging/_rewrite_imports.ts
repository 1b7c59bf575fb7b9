import type { Binding, ImportUse } from "./_module_syntax.ts";
import { sdkSpecifier } from "./sdk.ts";

/** What `deno bundle` left, and where. */
export interface LeftImport {
  /** The import. */
  use: ImportUse;
  /** Whether it leads to the SDK. */
  isSdk: boolean;
}

/**
 * Makes a bundled module stand alone. Imports of the SDK, however written, get its one specifier. Node's
 * built-in modules are taken from the process instead of imported, so that npm packages that use `events` or
 * `util` work where nothing can be imported; what they may do there is decided by the sandbox's permissions.
 * Lines keep their numbers, so the source map stays true.
 *
 * @param left all imports that the bundler left, in their order; none of a built-in module is a re-export
 */
export function rewriteImports(code: string, left: readonly LeftImport[]): string {
  const pieces: string[] = [];
  const hoisted: string[] = [];
  let at = 0;
  for (const { use, isSdk } of left) {
    if (isSdk) {
      pieces.push(code.slice(at, use.specifierStart), JSON.stringify(sdkSpecifier));
      at = use.specifierEnd;
    } else if (use.kind === "dynamic") {
      pieces.push(code.slice(at, use.start), `Promise.resolve(${asNamespace(use.specifier!)})`);
      at = use.end;
    } else {
      hoisted.push(...declarations(use));
      const lines = code.slice(use.start, use.end).split("\n").length - 1;
      pieces.push(code.slice(at, use.start), "\n".repeat(lines));
      at = use.end;
    }
  }
  return hoisted.join("") + pieces.join("") + code.slice(at);
}

/** Statements that bind what an import of a built-in module would. */
function declarations({ specifier, bindings }: ImportUse): string[] {
  return bindings.map(({ imported, local }) => `var ${local} = ${bound(specifier!, imported)}; `);
}

function bound(specifier: string, imported: Binding["imported"]): string {
  if (imported === "*") return asNamespace(specifier);
  const module = builtin(specifier);
  return imported === "default" ? module : `${module}[${JSON.stringify(imported)}]`;
}

function builtin(specifier: string): string {
  return `globalThis.process.getBuiltinModule(${JSON.stringify(specifier)})`;
}

function asNamespace(specifier: string): string {
  return `((m) => ({ ...m, default: m }))(${builtin(specifier)})`;
}
