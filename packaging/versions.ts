import { PackagingError } from "../core/errors.ts";
import type { BundleManifest } from "./bundle_manifest.ts";
import { sdkVersion } from "./sdk.ts";

/** What a bundle would run on. */
export interface HostVersions {
  /** The SDK. @default this one's */
  sdk?: string;
  /** Deno. @default this one's */
  runtime?: string;
}

/**
 * Checks that a bundle was made for what it would run on. The SDK must be compatible by its version number: the
 * same major, or the same minor before 1.0.0, and not older than the bundle's. Deno must have the same major and
 * not an older minor.
 *
 * @throws {PackagingError} naming both versions
 *
 * @example
 * ```ts
 * import { assertVersions, type BundleManifest } from "@remotemedia/sdk/packaging";
 * import assert from "node:assert/strict";
 *
 * const manifest = { entry: "main.ts", sdk: "1.4.0", runtime: "2.9.6" } as BundleManifest;
 * assertVersions(manifest, { sdk: "1.5.2", runtime: "2.10.0" });
 * assert.throws(() => assertVersions(manifest, { sdk: "2.0.0", runtime: "2.9.6" }), /SDK 1.4.0/);
 * ```
 */
export function assertVersions(
  { entry, sdk, runtime }: BundleManifest,
  host: HostVersions = {},
): void {
  const { sdk: hostSdk = sdkVersion, runtime: hostDeno = Deno.version.deno } = host;
  if (!runsOn(sdk, hostSdk)) throw mismatch(entry, `SDK ${sdk}`, hostSdk);
  if (!runsOn(runtime, hostDeno)) throw mismatch(entry, `Deno ${runtime}`, hostDeno);
}

/** Whether code made for one version runs on another, by the rules of semver.org for its dependants. */
function runsOn(made: string, host: string): boolean {
  const [a, b] = [made, host].map((version) => version.split(/[.+-]/).slice(0, 3).map(Number));
  const [major = 0, minor = 0, patch = 0] = a!;
  const [hostMajor = 0, hostMinor = 0, hostPatch = 0] = b!;
  if (major !== hostMajor) return false;
  return major === 0 ? minor === hostMinor && patch <= hostPatch : minor <= hostMinor;
}

function mismatch(entry: string, made: string, host: string): PackagingError {
  return new PackagingError(
    `Cannot run bundle of ${entry} as it was made for ${made}, which does not run on ${host}: package it anew`,
  );
}
