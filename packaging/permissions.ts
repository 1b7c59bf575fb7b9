import { z } from "zod";

/** What a bundle asks to be allowed beyond nothing; granted is only what the server's policy allows too. */
export interface BundlePermissions {
  /** Hosts to connect to, with or without port: `api.example.com:443`, `10.0.0.7`, `[::1]:8080`. @default [] */
  net?: readonly string[];
  /** Files and folders on the server to read: absolute paths. @default [] */
  read?: readonly string[];
  /** Environment variables of the server to read. @default [] */
  env?: readonly string[];
}

const host = z.string().max(300).refine(isHost, "a host or host:port: no scheme, path or wildcard");

const path = z.string().max(4096).regex(/^\/[^\0]*$/, "an absolute path").refine(
  (value) => !value.split("/").some((part) => part === ".." || part === "."),
  "a path without . and .. in it",
);

const variable = z.string().max(256).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of a variable");

/** Checks {@linkcode BundlePermissions}; each list is at most 100 long and comes out sorted. */
export const permissionsSchema: z.ZodType<Required<BundlePermissions>, BundlePermissions> = z
  .strictObject({
    net: list(host),
    read: list(path),
    env: list(variable),
  });

function list(item: z.ZodType<string, string>) {
  return z.array(item).max(100).default([]).transform((items) => [...new Set(items)].sort());
}

function isHost(text: string): boolean {
  const match = /^(?:\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*)(?::(\d{1,5}))?$/i.exec(text);
  return match !== null && Number(match[1] ?? 0) <= 65_535;
}
