import { z } from "zod";
import { type BundlePermissions, permissionsSchema } from "./permissions.ts";

/** Where a module of a bundle comes from. */
export type ModuleKind = "local" | "remote" | "npm";

/** A file of a bundle's archive. */
export interface BundleFile {
  /** `bundle.js`, or `data/` and the name of a data file. */
  name: string;
  /** Its size in bytes. */
  size: number;
  /** Its SHA-256 in hex. */
  sha256: string;
}

/** A module that went into `bundle.js`. */
export interface BundleModule extends BundleFile {
  /**
   * For a local module its path from the project's root, for a remote one its address, for one of npm
   * `npm:/name@version/path`.
   */
  name: string;
  /** Where it comes from. */
  kind: ModuleKind;
}

/** What a bundle says of itself, in its `manifest.json`. */
export interface BundleManifest {
  /** The form of the archive: 1. */
  format: 1;
  /** The entry's name among the modules. */
  entry: string;
  /** The names that the entry exports, sorted. */
  exports: string[];
  /** The version of the SDK that it was built against. */
  sdk: string;
  /** The version of Deno that it was built with. */
  runtime: string;
  /** What it asks to be allowed. */
  permissions: Required<BundlePermissions>;
  /** All other files of the archive, in its order. */
  files: BundleFile[];
  /** All modules that went in, sorted by name. */
  modules: BundleModule[];
}

const size = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 in hex");
const version = z.string().max(64).regex(/^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]*)?$/, "a version");
const name = z.string().min(1).max(4096);

/** Checks a {@linkcode BundleManifest}. */
export const manifestSchema: z.ZodType<BundleManifest> = z.strictObject({
  format: z.literal(1),
  entry: name,
  exports: z.array(name).max(10_000),
  sdk: version,
  runtime: version,
  permissions: permissionsSchema as z.ZodType<Required<BundlePermissions>>,
  files: z.array(z.strictObject({ name, size, sha256 })).max(1_000),
  modules: z.array(
    z.strictObject({ name, kind: z.enum(["local", "remote", "npm"]), size, sha256 }),
  ).max(20_000),
});
