import { PackagingError } from "../core/errors.ts";
import { lie, readBundle } from "./_archive.ts";
import type { Bundle } from "./bundle.ts";
import { lexBundle, type LexBundleOptions } from "./lex_bundle.ts";

/** Limits and expectations of {@linkcode openBundle}. */
export interface OpenBundleOptions extends LexBundleOptions {
  /** The name that it must have: a SHA-256 in hex. @default any */
  digest?: string;
  /** The most bytes that it may have. @default 268_435_456 (256 MiB) */
  maxBytes?: number;
}

/** The default of `maxBytes`, also for making bundles. */
export const defaultMaxBytes: number = 256 * 1024 * 1024;

/**
 * Opens a bundle that somebody else may have made, and believes nothing of it: the archive must be exactly of
 * the form that `createBundle` writes, every size and digest of its manifest must be true, its module must
 * import nothing but the SDK and export what the manifest says.
 *
 * No byte is inflated, copied to disk or run. Memory: one text of `bundle.js` and, while it is read, about
 * 200 bytes for each of its tokens.
 *
 * @param bytes the archive; the bundle keeps views of it
 * @throws {SerializationError} if the bytes are not such an archive: wrong form, unsafe or repeated names, links
 * @throws {PackagingError} if it is too large, has another digest, lies about itself, or imports what it may not
 *
 * @example
 * ```ts
 * import { createBundle, openBundle } from "@remotemedia/sdk/packaging";
 *
 * const directory = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${directory}/hello.js`, "export const hello = () => 'hello';");
 * const made = await createBundle(new URL(`file://${directory}/hello.js`), { check: false });
 * const { manifest } = await openBundle(made.bytes, { digest: made.digest });
 * console.log(manifest.exports); // ["hello"]
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export async function openBundle(
  bytes: Uint8Array<ArrayBuffer>,
  { digest, maxBytes = defaultMaxBytes, ...limits }: OpenBundleOptions = {},
): Promise<Bundle> {
  if (bytes.length > maxBytes) {
    throw new PackagingError(
      `Cannot accept bundle as it is over the limit of ${maxBytes} bytes: it has ${bytes.length}`,
    );
  }
  const bundle = await readBundle(bytes, digest);
  const { exports } = await lexBundle(bundle.code, limits);
  if (JSON.stringify(exports) !== JSON.stringify(bundle.manifest.exports)) {
    throw lie(`it exports ${exports.join(", ") || "nothing"}`);
  }
  return bundle;
}
