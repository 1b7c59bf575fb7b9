import config from "../deno.json" with { type: "json" };

/** The version of this SDK. */
export const sdkVersion: string = config.version;

/** The one specifier that a bundle may import: the sandbox has its own copy of the SDK under it. */
export const sdkSpecifier = "@remotemedia/sdk";

/** Where this copy of the SDK is. */
const sdkRoot = new URL("../", import.meta.url).href;

/** What belongs to the SDK in its folder; beside it are its tests and examples, which may be packaged. */
const sdkParts = [
  "mod.ts",
  "server.ts",
  "cli.ts",
  "core/",
  "nodes/",
  "packaging/",
  "proto/",
  "remote/",
  "testing/",
];

/** Whether an import leads to the SDK: by name, by `npm:` or `jsr:`, or by the address of one of its files. */
export function isSdk(specifier: string): boolean {
  if (specifier === sdkSpecifier || specifier.startsWith(`${sdkSpecifier}/`)) return true;
  if (/^(npm|jsr):\/?@remotemedia\/sdk([@/]|$)/.test(specifier)) return true;
  if (!specifier.startsWith(sdkRoot)) return false;
  const path = specifier.slice(sdkRoot.length);
  return sdkParts.some((part) => part.endsWith("/") ? path.startsWith(part) : path === part);
}

/** What `deno bundle` must leave out so that the SDK stays outside. */
export function sdkExternals(): string[] {
  const here = sdkRoot.startsWith("file:")
    ? decodeURIComponent(new URL(sdkRoot).pathname)
    : sdkRoot;
  return [
    sdkSpecifier,
    `${sdkSpecifier}/*`,
    ...["npm:", "npm:/", "jsr:", "jsr:/"].map((scheme) => `${scheme}${sdkSpecifier}*`),
    ...sdkParts.map((part) => `${here}${part}${part.endsWith("/") ? "*" : ""}`),
  ];
}
