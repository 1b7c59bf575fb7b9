import { PackagingError } from "../core/errors.ts";
import type { BrokenImport, ModuleGraph } from "./_module_graph.ts";
import type { ModuleNames } from "./_names.ts";

const native = "a native addon cannot travel";

/** Words errors of packaging the one way: what, why, and by which chain of imports. */
export class PackagingFaults {
  readonly #graph: ModuleGraph;
  readonly #names: ModuleNames;
  readonly #entry: string;

  /** @param entry the entry's URL */
  constructor(graph: ModuleGraph, names: ModuleNames, entry: string) {
    this.#graph = graph;
    this.#names = names;
    this.#entry = names.of(entry).name;
  }

  /** A fault of the bundle as a whole. */
  whole(reason: string, cause?: unknown): PackagingError {
    return new PackagingError(`Cannot package ${this.#entry} as ${reason}`, { cause });
  }

  /** A fault of one module. @param where a place in it, as `:line:column` */
  inModule(reason: string, module: string, where = ""): PackagingError {
    return this.whole(`${reason}: ${this.#chainTo(module)}${where}`);
  }

  /** A package that needs a native addon. @param ids it, and before it those that need it */
  native([id, ...others]: readonly string[]): PackagingError {
    const chain = [...this.#chainToPackage(id!), ...others.map((other) => `npm:${other}`)];
    return this.whole(`${native}: ${this.#names.chain(chain)}`);
  }

  /** An import that leads nowhere. */
  broken({ chain, error }: BrokenImport): PackagingError {
    const shown = this.#names.chain(chain);
    if (chain.at(-1)!.endsWith(".node")) return this.whole(`${native}: ${shown}`);
    const reason = /not found|not a dependency|does not exist|could not find/i.test(error)
      ? "a module is missing"
      : "a module cannot be read";
    return this.whole(`${reason}: ${shown} (${error.trim()})`);
  }

  /** What `deno bundle` said when it failed. */
  bundling(stderr: string): PackagingError {
    const addon = /No loader is configured for "\.node" files: .*?\n\s+at (\S+?):\d+:\d+/.exec(
      stderr,
    );
    if (addon === null) return this.whole(`deno bundle failed: ${essence(stderr)}`);
    const { kind, name } = this.#names.of(addon[1]!);
    return kind === "npm" ? this.native([packageOf(name)]) : this.inModule(native, addon[1]!);
  }

  /** What `deno check` said when it failed: the compiler's own message, and how its module is reached. */
  types(stderr: string): PackagingError {
    const module = /^\s+at (\S+?):\d+:\d+$/m.exec(stderr)?.[1];
    const chain = module === undefined ? "" : ` in ${this.#chainTo(module)}`;
    return this.whole(`it has a type error${chain}:\n${essence(stderr)}`);
  }

  #chainTo(module: string): string {
    const { kind, name } = this.#names.of(module);
    if (kind !== "npm") return this.#names.chain(this.#graph.chainTo(module));
    return `${this.#names.chain(this.#chainToPackage(packageOf(name)))} -> ${name}`;
  }

  /** How a package is reached: in Deno's cache the graph tells, in `node_modules` its imported module. */
  #chainToPackage(id: string): string[] {
    for (const url of this.#graph.modules.keys()) {
      const { kind, name } = this.#names.of(url);
      if (kind !== "npm" || packageOf(name) !== id) continue;
      return [...this.#graph.chainTo(url).slice(0, -1), `npm:${id}`];
    }
    return this.#graph.chainToPackage(id);
  }
}

/** The `name@version` of a module that is called `npm:/name@version/path`. */
export function packageOf(name: string): string {
  return /^npm:\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? name;
}

/** What a Deno subcommand said, without what is the same each time. */
export function essence(stderr: string): string {
  return stderr.replace(/\n*Stack backtrace:[\s\S]*$/, "")
    .replace(/^(Check|Download) .*\n?|^error: (bundling|Type checking) failed\.?$/gm, "")
    .trim().replace(/^error: /, "");
}
