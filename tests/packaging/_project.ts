import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Bundle, createBundle, type CreateBundleOptions } from "../../packaging/mod.ts";

/** The SDK's own folder. */
export const sdkFolder = new URL("../../", import.meta.url);

/** The SDK's versions of npm packages, for the import maps of projects. */
const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", sdkFolder))) as {
  imports: Record<string, string>;
};

/** An npm package as the SDK itself has it, so that tests fetch nothing else. */
export function npm(name: string): string {
  const specifier = imports[name];
  assert.ok(specifier !== undefined, `deno.json has ${name}`);
  return specifier;
}

/** A project of a user, in a temporary folder. */
export class Project implements AsyncDisposable {
  /** Its folder. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Writes files into a new folder. */
  static async create(files: Record<string, string | Uint8Array>): Promise<Project> {
    const project = new Project(await Deno.makeTempDir({ prefix: "packaging-test-" }));
    for (const [name, content] of Object.entries(files)) await project.write(name, content);
    return project;
  }

  /** Writes a file. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    const path = join(this.path, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
  }

  /** The address of one of its files. */
  url(name: string): URL {
    return pathToFileURL(join(this.path, name));
  }

  /** Packages one of its files; types unchecked unless told. */
  bundle(name: string, options: CreateBundleOptions = {}): Promise<Bundle> {
    return createBundle(this.url(name), { check: false, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Imports a bundle's module here, where the SDK's specifier leads to the SDK. */
export async function importBundle({ code }: Bundle): Promise<Record<string, unknown>> {
  const folder = await Deno.makeTempDir({ prefix: "packaging-test-" });
  try {
    const path = join(folder, "bundle.js");
    await Deno.writeTextFile(path, code);
    return await import(pathToFileURL(path).href);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
