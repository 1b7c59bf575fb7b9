/**
 * A module with all that it imports, as one archive that can run elsewhere.
 *
 * @module
 */

export * from "./bundle.ts";
export type { BundleFile, BundleManifest, BundleModule, ModuleKind } from "./bundle_manifest.ts";
export * from "./bundle_store.ts";
export * from "./create_bundle.ts";
export type { DataFileRequest } from "./_data_sources.ts";
export * from "./data_files.ts";
export * from "./encode_state.ts";
export { type BundleLexing, lexBundle, type LexBundleOptions } from "./lex_bundle.ts";
export * from "./localize_stack.ts";
export { openBundle, type OpenBundleOptions } from "./open_bundle.ts";
export { type BundlePermissions } from "./permissions.ts";
export { sdkSpecifier, sdkVersion } from "./sdk.ts";
export * from "./versions.ts";
