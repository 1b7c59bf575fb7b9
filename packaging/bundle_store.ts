import { join } from "node:path";
import { cannot, PackagingError } from "../core/errors.ts";
import { sha256Hex } from "./bundle.ts";

/** How a {@linkcode BundleStore} is bounded. */
export interface BundleStoreOptions {
  /** The most bytes that its bundles have together. @default 1_073_741_824 (1 GiB) */
  maxBytes?: number;
}

/** A stored bundle, as the folder tells. */
interface StoredFile {
  path: string;
  size: number;
  usedMs: number;
}

const suffix = ".rmb";
const temporary = ".part";

/** Files of a store; whatever else is in its folder is left alone. */
const storedName = /^[0-9a-f]{64}\.rmb$/;
const temporaryName = /^[0-9a-f-]{36}\.part$/;

/** How old a file must be that somebody began to write before it counts as left behind, in ms. */
const abandonedMs = 60 * 60 * 1000;

/**
 * Bundles in a folder, by digest, bounded in bytes: those not used for the longest time go first. Several
 * processes may use one folder at once: files appear whole, under names made from digests only, and what is
 * read is held against its digest.
 *
 * @example
 * ```ts
 * import { BundleStore } from "@remotemedia/sdk/packaging";
 *
 * const directory = await Deno.makeTempDir();
 * const store = await BundleStore.open(directory, { maxBytes: 100_000_000 });
 * const digest = await store.put(new TextEncoder().encode("any bytes"));
 * console.log(await store.missing([digest, "0".repeat(64)])); // ["000…"]
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class BundleStore {
  /** The folder. */
  readonly directory: string;
  /** The most bytes that its bundles have together. */
  readonly maxBytes: number;

  private constructor(directory: string, maxBytes: number) {
    this.directory = directory;
    this.maxBytes = maxBytes;
  }

  /**
   * Opens a store; makes the folder, readable by its owner only, where there is none.
   *
   * @throws {RangeError} if `maxBytes` is no whole number of at least 1
   */
  static async open(
    directory: string,
    { maxBytes = 1024 * 1024 * 1024 }: BundleStoreOptions = {},
  ): Promise<BundleStore> {
    if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
      const rule = "maxBytes must be a whole number of at least 1";
      throw new RangeError(cannot("open BundleStore", { rule, value: maxBytes }));
    }
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    const store = new BundleStore(directory, maxBytes);
    await store.#trim();
    return store;
  }

  /**
   * Stores a bundle, and removes others if that is needed to stay within `maxBytes`.
   *
   * @param expected the digest that the bytes must have
   * @returns its digest
   * @throws {PackagingError} if the bytes have another digest, or do not fit in at all
   */
  async put(bytes: Uint8Array<ArrayBuffer>, expected?: string): Promise<string> {
    const digest = await sha256Hex(bytes);
    if (expected !== undefined && expected !== digest) {
      throw new PackagingError(`Cannot store bundle as its digest is ${digest}, not ${expected}`);
    }
    if (bytes.length > this.maxBytes) {
      throw new PackagingError(
        `Cannot store bundle ${digest} as it is over the store's ${this.maxBytes} bytes: it has ${bytes.length}`,
      );
    }
    const part = join(this.directory, `${crypto.randomUUID()}${temporary}`);
    try {
      await Deno.writeFile(part, bytes, { createNew: true, mode: 0o600 });
      await Deno.rename(part, this.#path(digest));
    } catch (error) {
      await remove(part);
      throw error;
    }
    await this.#trim(digest);
    return digest;
  }

  /**
   * The bundle of a digest, which counts as used now; `undefined` if it is not there. Bytes that have come
   * to harm on the disk are removed and count as not there.
   *
   * @throws {TypeError} if it is no digest
   */
  async get(digest: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const path = this.#path(digest);
    try {
      const bytes = await Deno.readFile(path);
      if (await sha256Hex(bytes) === digest) {
        await touch(path);
        return bytes;
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    await remove(path);
    return undefined;
  }

  /**
   * Those digests of which there is no bundle; the others count as used now.
   *
   * @throws {TypeError} if one is no digest
   */
  async missing(digests: readonly string[]): Promise<string[]> {
    const paths = digests.map((digest) => this.#path(digest));
    const isThere = await Promise.all(paths.map(touch));
    return digests.filter((_, index) => !isThere[index]);
  }

  #path(digest: string): string {
    if (typeof digest !== "string" || !/^[0-9a-f]{64}$/.test(digest)) {
      const rule = "a digest must be a SHA-256 in lower-case hex";
      throw new TypeError(cannot("find bundle", { rule, value: digest }));
    }
    return join(this.directory, digest + suffix);
  }

  /** Removes the least recently used until the rest fits, and what was left half-written. */
  async #trim(kept?: string): Promise<void> {
    const files = await this.#files();
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.maxBytes) break;
      if (kept !== undefined && path === this.#path(kept)) continue;
      await remove(path);
      total -= size;
    }
  }

  async #files(): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    for await (const { name } of Deno.readDir(this.directory)) {
      const path = join(this.directory, name);
      const info = await statOrNone(path);
      if (info === undefined || !info.isFile) continue;
      const usedMs = info.mtime?.getTime() ?? 0;
      if (storedName.test(name)) files.push({ path, size: info.size, usedMs });
      else if (temporaryName.test(name) && usedMs < Date.now() - abandonedMs) await remove(path);
    }
    return files;
  }
}

/** Marks a file as used now. @returns whether it is there */
async function touch(path: string): Promise<boolean> {
  try {
    const now = new Date();
    await Deno.utime(path, now, now);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes a file that another process may have removed already. */
async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function statOrNone(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
