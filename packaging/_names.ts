import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { ModuleGraph } from "./_module_graph.ts";
import type { ModuleKind } from "./bundle_manifest.ts";

/** What a module is called in a bundle, on whatever machine it is made. */
export interface ModuleName {
  /** Where it comes from. */
  kind: ModuleKind;
  /** A path from the project's root, an address, or `npm:/name@version/path`. */
  name: string;
}

/** A folder on this machine whose files belong to one npm package. */
interface PackageFolder {
  path: string;
  id: string;
}

/** Names modules so that nothing of this machine shows. */
export class ModuleNames {
  /** The folder that holds all local modules, which their names are relative to. */
  readonly root: string;
  readonly #packages: PackageFolder[];
  readonly #versions = new Map<string, string | undefined>();
  readonly #outsiders = new Map<string, string>();

  /** @param entry the entry's path; `undefined` for a remote entry */
  constructor(graph: ModuleGraph, entry: string | undefined) {
    this.#packages = Object.entries(graph.npmPackages).flatMap(([id, { localPath }]) =>
      localPath === undefined ? [] : [{ path: localPath + sep, id }]
    );
    const folders = [...graph.modules.values()].flatMap(({ specifier }) => {
      if (!specifier.startsWith("file:")) return [];
      const path = fileURLToPath(specifier);
      return this.#packagePath(path) === undefined ? [dirname(path)] : [];
    });
    const own = entry === undefined ? [] : [dirname(entry)];
    const common = [...own, ...folders].reduce(commonFolder, own[0] ?? folders[0] ?? sep);
    // A module somewhere else entirely must not make the names tell where the project is.
    this.root = dirname(common) === common && entry !== undefined ? dirname(entry) : common;
  }

  /** The name of a module, given by URL or by its path here. */
  of(module: string): ModuleName {
    const path = module.startsWith("file:") ? fileURLToPath(module) : module;
    if (/^[a-z]{2,}:/.test(path)) return { kind: "remote", name: path };
    const packaged = this.#packagePath(path);
    if (packaged !== undefined) return { kind: "npm", name: `npm:/${packaged}` };
    const name = toSlashes(relative(this.root, path));
    const isInside = !name.startsWith("../") && !/^[A-Z]:/i.test(name);
    return { kind: "local", name: isInside ? name : this.#outside(path) };
  }

  /** A chain of imports, as an error shows it. */
  chain(modules: readonly string[]): string {
    return modules.map((module) => module.startsWith("file:") ? this.of(module).name : module)
      .join(" -> ");
  }

  /** The name of a module that has no folder in common with the entry: the how manyth it is, and its file. */
  #outside(path: string): string {
    const name = this.#outsiders.get(path) ?? `outside/${this.#outsiders.size}/${basename(path)}`;
    this.#outsiders.set(path, name);
    return name;
  }

  /** `name@version/path` of a file in an npm package. */
  #packagePath(path: string): string | undefined {
    const folder = this.#packages.find((known) => path.startsWith(known.path)) ??
      this.#nodeModule(path);
    return folder && `${folder.id}/${toSlashes(path.slice(folder.path.length))}`;
  }

  /** The package folder of a file below `node_modules`. */
  #nodeModule(path: string): PackageFolder | undefined {
    const match = /^(.*[/\\]node_modules[/\\])((?:@[^/\\]+[/\\])?[^/\\]+)[/\\]/.exec(path);
    if (match === null) return undefined;
    const folder = join(match[1]!, match[2]!);
    if (!this.#versions.has(folder)) this.#versions.set(folder, readVersion(folder));
    const version = this.#versions.get(folder);
    if (version === undefined) return undefined;
    return { path: folder + sep, id: `${toSlashes(match[2]!)}@${version}` };
  }
}

function readVersion(folder: string): string | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(join(folder, "package.json"))).version;
  } catch {
    // Not a package after all: its files are named as local ones.
    return undefined;
  }
}

/** The deepest folder above both. */
function commonFolder(a: string, b: string): string {
  if (b === a || b.startsWith(a.endsWith(sep) ? a : a + sep)) return a;
  return dirname(a) === a ? a : commonFolder(dirname(a), b);
}

function toSlashes(path: string): string {
  return path.replaceAll("\\", "/");
}
