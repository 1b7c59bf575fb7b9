import { join } from "node:path";
import { z } from "zod";
import { readBundle } from "./_archive.ts";
import type { CachedBuild } from "./_build_cache.ts";
import { areUnchanged, type FileStamp } from "./_file_stamps.ts";
import { type Bundle, sha256Hex } from "./bundle.ts";
import { BundleStore } from "./bundle_store.ts";

/** What is written down of a build, beside the bundle itself. */
interface BuildRecord {
  digest: string;
  root?: string;
  stamps: FileStamp[];
}

const recordSchema: z.ZodType<BuildRecord> = z.object({
  digest: z.string(),
  root: z.string().optional(),
  stamps: z.array(z.object({ path: z.string(), state: z.string(), writtenMs: z.number() })),
});

/** How many builds are remembered; a record has some kilobytes. */
const maxRecords = 512;
const suffix = ".build.json";

/** The bundles that processes of this machine made, in a folder: 1 GiB of them at the most. */
export class CacheFolder {
  readonly #store: BundleStore;

  private constructor(store: BundleStore) {
    this.#store = store;
  }

  /** Opens a folder; makes it where there is none. */
  static async open(directory: string): Promise<CacheFolder> {
    return new CacheFolder(await BundleStore.open(directory));
  }

  /** The bundle made for the same request, if no file that it depends on has changed since. */
  async get(key: string): Promise<CachedBuild | undefined> {
    const record = await this.#read(await this.#path(key));
    if (record === undefined || !areUnchanged(record.stamps)) return undefined;
    const bytes = await this.#store.get(record.digest);
    if (bytes === undefined) return undefined;
    const bundle: Bundle = await readBundle(bytes, record.digest);
    const root = record.root === undefined ? {} : { root: new URL(record.root) };
    return { bundle: { ...bundle, ...root }, stamps: record.stamps };
  }

  /** Keeps a bundle. */
  async set(key: string, { bundle, stamps }: CachedBuild): Promise<void> {
    await this.#store.put(bundle.bytes, bundle.digest);
    const { digest, root } = bundle;
    const record = JSON.stringify({ digest, root: root?.href, stamps });
    const part = join(this.#store.directory, `${crypto.randomUUID()}.part`);
    await Deno.writeTextFile(part, record, { createNew: true, mode: 0o600 });
    await Deno.rename(part, await this.#path(key));
    await this.#trim();
  }

  async #path(key: string): Promise<string> {
    return join(this.#store.directory, await sha256Hex(new TextEncoder().encode(key)) + suffix);
  }

  /** A record; one that cannot be read counts as none, and is written anew by the next build. */
  async #read(path: string): Promise<BuildRecord | undefined> {
    try {
      return recordSchema.safeParse(JSON.parse(await Deno.readTextFile(path))).data;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #trim(): Promise<void> {
    const records: { path: string; writtenMs: number }[] = [];
    for await (const { name } of Deno.readDir(this.#store.directory)) {
      if (!name.endsWith(suffix)) continue;
      const path = join(this.#store.directory, name);
      const writtenMs = (await Deno.stat(path)).mtime?.getTime() ?? 0;
      records.push({ path, writtenMs });
    }
    records.sort((a, b) => b.writtenMs - a.writtenMs);
    await Promise.all(records.slice(maxRecords).map(({ path }) => Deno.remove(path)));
  }
}
