import { areUnchanged, type FileStamp } from "./_file_stamps.ts";
import type { Bundle } from "./bundle.ts";

/** A bundle and what it was made of. */
export interface CachedBuild {
  /** The bundle. */
  bundle: Bundle;
  /** The files that it depends on, as they were. */
  stamps: readonly FileStamp[];
}

/** Bounds of a {@linkcode BuildCache}. */
export interface BuildCacheOptions {
  /** How many bundles it holds. @default 32 */
  maxEntries?: number;
  /** How many bytes its bundles may have together. @default 134_217_728 (128 MiB) */
  maxBytes?: number;
}

/** The bundles that this process made last, in memory; the least recently used go first. */
export class BuildCache {
  readonly #builds = new Map<string, CachedBuild>();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param options its bounds */
  constructor({ maxEntries = 32, maxBytes = 128 * 1024 * 1024 }: BuildCacheOptions = {}) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  /** The bundle made for the same request, if no file that it depends on has changed since. */
  get(key: string): Bundle | undefined {
    const build = this.#builds.get(key);
    if (build === undefined) return undefined;
    this.#delete(key, build);
    if (!areUnchanged(build.stamps)) return undefined;
    this.#add(key, build);
    return build.bundle;
  }

  /** Keeps a bundle; one that is over the bounds by itself is not kept. */
  set(key: string, build: CachedBuild): void {
    const old = this.#builds.get(key);
    if (old !== undefined) this.#delete(key, old);
    this.#add(key, build);
    for (const [oldest, { bundle }] of this.#builds) {
      if (this.#builds.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break;
      this.#delete(oldest, { bundle });
    }
  }

  #add(key: string, build: CachedBuild): void {
    this.#builds.set(key, build);
    this.#bytes += build.bundle.bytes.length;
  }

  #delete(key: string, { bundle }: Pick<CachedBuild, "bundle">): void {
    this.#builds.delete(key);
    this.#bytes -= bundle.bytes.length;
  }
}
