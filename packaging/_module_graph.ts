import { isSdk } from "./sdk.ts";

/** What `deno info --json` says, as far as packaging uses it. */
export interface GraphInfo {
  /** The entry. */
  roots: string[];
  /** All modules. */
  modules: GraphModule[];
  /** Specifiers that stand for others. */
  redirects: Record<string, string>;
  /** npm packages, by name and version. */
  npmPackages?: Record<string, NpmPackage>;
}

/** One module of the graph. */
export interface GraphModule {
  /** Its URL. */
  specifier: string;
  /** Where it is on this machine. */
  local?: string;
  /** Its size in bytes, where it is text or WASM. */
  size?: number;
  /** Why it could not be loaded. */
  error?: string;
  /** Set for a module of an npm package. */
  npmPackage?: string;
  /** What it imports. */
  dependencies?: { specifier: string; code?: Resolved; type?: Resolved }[];
}

/** Where an import leads. */
export interface Resolved {
  /** The module. */
  specifier?: string;
  /** Why it leads nowhere. */
  error?: string;
}

/** An npm package of the graph. */
export interface NpmPackage {
  /** Its name. */
  name: string;
  /** Its version. */
  version: string;
  /** Packages that it needs, by name and version. */
  dependencies: string[];
  /** Where it is unpacked on this machine. */
  localPath?: string;
}

/** An import that leads nowhere. */
export interface BrokenImport {
  /** How it is reached: URLs from the entry on, the last one as far as it is known. */
  chain: readonly string[];
  /** What Deno says. */
  error: string;
}

/** The user's own part of a module graph: what an entry reaches without going through the SDK. */
export class ModuleGraph {
  readonly #info: GraphInfo;
  readonly #modules = new Map<string, GraphModule>();
  readonly #importers = new Map<string, string>();
  readonly #sdkNames = new Set<string>();
  readonly #broken: BrokenImport[] = [];

  /** @param info what `deno info --json` wrote */
  constructor(info: GraphInfo) {
    this.#info = info;
    const known = new Map(info.modules.map((module) => [module.specifier, module]));
    const queue = [...info.roots];
    for (const url of queue) {
      const module = known.get(url);
      if (module === undefined || this.#modules.has(url)) continue;
      this.#modules.set(url, module);
      queue.push(...this.#targetsOf(module));
    }
  }

  /** The modules by URL, the entry first. */
  get modules(): ReadonlyMap<string, GraphModule> {
    return this.#modules;
  }

  /** npm packages by name and version. */
  get npmPackages(): Readonly<Record<string, NpmPackage>> {
    return this.#info.npmPackages ?? {};
  }

  /** Specifiers as written that lead to the SDK without saying so. */
  get sdkNames(): ReadonlySet<string> {
    return this.#sdkNames;
  }

  /** Imports that lead nowhere. */
  get broken(): readonly BrokenImport[] {
    return this.#broken;
  }

  /** How a module is reached: URLs from the entry to it. */
  chainTo(url: string): string[] {
    const chain = [url];
    for (let at = this.#importers.get(url); at !== undefined; at = this.#importers.get(at)) {
      chain.unshift(at);
    }
    return chain;
  }

  /** How an npm package is reached: URLs and packages from the entry to it. */
  chainToPackage(id: string): string[] {
    const chains: string[][] = [];
    for (const { specifier, npmPackage } of this.#modules.values()) {
      if (npmPackage !== undefined) {
        chains.push([...this.chainTo(specifier).slice(0, -1), npmPackage]);
      }
    }
    const seen = new Set<string>();
    for (const chain of chains) {
      const last = chain.at(-1)!;
      if (last === id) return [...chain.slice(0, -1), `npm:${id}`];
      if (seen.has(last)) continue;
      seen.add(last);
      const needed = this.npmPackages[last]?.dependencies ?? [];
      chains.push(...needed.map((next) => [...chain.slice(0, -1), `npm:${last}`, next]));
    }
    return [`npm:${id}`];
  }

  /** Where a module's imports lead, the SDK left out; notes what is broken on the way. */
  #targetsOf({ specifier: url, error, dependencies = [] }: GraphModule): string[] {
    if (error !== undefined) this.#broken.push({ chain: this.chainTo(url), error });
    const targets: string[] = [];
    for (const { specifier, code, type } of dependencies) {
      if (isSdk(specifier)) continue;
      if (code?.error !== undefined) {
        this.#broken.push({ chain: [...this.chainTo(url), specifier], error: code.error });
      }
      for (const resolved of [code?.specifier, type?.specifier]) {
        if (resolved === undefined) continue;
        const target = this.#redirected(resolved);
        if (isSdk(resolved) || isSdk(target)) {
          if (isBare(specifier)) this.#sdkNames.add(specifier);
          continue;
        }
        if (!this.#modules.has(target) && !this.#importers.has(target)) {
          this.#importers.set(target, url);
        }
        targets.push(target);
      }
    }
    return targets;
  }

  #redirected(url: string): string {
    const next = this.#info.redirects[url];
    return next === undefined || next === url ? url : this.#redirected(next);
  }
}

function isBare(specifier: string): boolean {
  return !/^\.{0,2}\/|:/.test(specifier);
}
