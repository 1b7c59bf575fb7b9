import type { BundleManifest } from "./bundle_manifest.ts";

/** Packaged user code: one archive, named by its content. */
export interface Bundle {
  /** The SHA-256 of `bytes` in hex: its name. */
  readonly digest: string;
  /** The archive: a tar file of `manifest.json`, `bundle.js` and `data/…`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What it says of itself, checked. */
  readonly manifest: BundleManifest;
  /** `bundle.js`: one ES module that imports at most the SDK, with its source map. */
  readonly code: string;
  /** The data files by name; views of `bytes`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /**
   * Where the local modules are on this machine, for {@linkcode localizeStack}; only known where the
   * bundle was made.
   */
  readonly root?: URL;
}

/**
 * The SHA-256 of bytes, in hex.
 *
 * @example
 * ```ts
 * import { sha256Hex } from "@remotemedia/sdk/packaging";
 *
 * console.log((await sha256Hex(new Uint8Array())).slice(0, 8)); // "e3b0c442"
 * ```
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(digest).toHex();
}
