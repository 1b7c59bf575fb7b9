import { resolve } from "node:path";
import { ConfigurationError } from "../../core/errors.ts";

/** What code in a sandbox may reach beyond its own bundle. Nothing by default. */
export interface SandboxPermissions {
  /** Hosts, as `name`, `name:port` or `address:port`; `*.name` for all names below it. */
  net?: readonly string[];
  /** Files and folders that may be read, as absolute paths. */
  read?: readonly string[];
  /** Environment variables, by name: the values are those of the host. */
  env?: readonly string[];
}

/** A name, also with `*.` before it for all below it, or an address; and a port. */
const HOST = /^(\[[\da-f:.]+\]|(\*\.)?[\w-]+(\.[\w-]+)*\.?)(:\d{1,5})?$/i;

/** All lists, sorted, each item once. */
export type CompletePermissions = Readonly<Required<SandboxPermissions>>;

/** No rights at all. */
export const noPermissions: CompletePermissions = Object.freeze({ net: [], read: [], env: [] });

/**
 * Permissions in one form, so that equal ones look the same.
 *
 * @throws {ConfigurationError} if an item is not what its list holds
 */
export function completePermissions(asked: SandboxPermissions = {}): CompletePermissions {
  const { net = [], read = [], env = [] } = asked;
  return Object.freeze({
    net: sorted(net.map((item) => check("net", item, HOST))),
    read: sorted(read.map((item) => resolve(check("read", item, /^\/[^,\0]*$/)))),
    env: sorted(env.map((item) => check("env", item, /^\w+$/))),
  });
}

/**
 * What is both asked for and allowed: a host without a port allows every port of it, `*.` all names below it, a
 * folder all in it.
 *
 * @param asked what a bundle wants
 * @param allowed what its caller's policy grants
 */
export function intersectPermissions(
  asked: SandboxPermissions,
  allowed: SandboxPermissions,
): CompletePermissions {
  const a = completePermissions(asked);
  const b = completePermissions(allowed);
  return completePermissions({
    net: common(a.net, b.net, coversHost),
    read: common(a.read, b.read, coversPath),
    env: common(a.env, b.env, (wide, narrow) => wide === narrow),
  });
}

/** Items of either list that the other covers. */
function common(
  a: readonly string[],
  b: readonly string[],
  covers: (wide: string, narrow: string) => boolean,
): string[] {
  return [
    ...a.filter((item) => b.some((wide) => covers(wide, item))),
    ...b.filter((item) => a.some((wide) => covers(wide, item))),
  ];
}

function coversHost(wide: string, narrow: string): boolean {
  const [wideName, widePort] = partsOf(wide);
  const [narrowName, narrowPort] = partsOf(narrow);
  if (widePort !== "" && widePort !== narrowPort) return false;
  return wideName === narrowName ||
    (wideName.startsWith("*.") && narrowName.endsWith(wideName.slice(1)));
}

/** Name or address, and port; empty for all of them. */
function partsOf(host: string): [name: string, port: string] {
  const [, name, port = ""] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(host.toLowerCase())!;
  return [name!, port];
}

function coversPath(wide: string, narrow: string): boolean {
  return wide === narrow || narrow.startsWith(wide.endsWith("/") ? wide : `${wide}/`);
}

function check(list: string, item: unknown, form: RegExp): string {
  if (typeof item === "string" && form.test(item)) return item;
  throw new ConfigurationError(
    `Cannot grant permission as ${list} cannot hold ${JSON.stringify(item)}`,
  );
}

function sorted(items: readonly string[]): string[] {
  return [...new Set(items)].sort();
}
