import { createHash } from "node:crypto";
import { loggerFor } from "../../../core/log.ts";
import { startOf } from "./process_usage.ts";
import { readProcFile } from "./proc_file.ts";

/** What the names of all our temporary folders start with. */
const PREFIX = "remotemedia-";
const NAME = /^remotemedia-[a-z]+-([0-9a-f]{8})-(\d+)-(\d+)-/;

const log = loggerFor("sandbox");

/** Which processes a number of one can mean here: the machine since it was started, or a container of it. */
let scope: string | undefined;
let swept = false;

/**
 * Makes a temporary folder that only this user can enter and whose name tells which process it belongs to.
 * The first one that a process makes removes those whose processes were killed.
 *
 * @param kind what it is for, in small letters
 * @returns its path
 */
export function makeOwnFolder(kind: string): string {
  if (Deno.build.os !== "linux") return Deno.makeTempDirSync({ prefix: `${PREFIX}${kind}-` });
  if (!swept) {
    swept = true;
    sweep();
  }
  const owner = `${scopeHere()}-${Deno.pid}-${startOf(Deno.pid)}`;
  return Deno.makeTempDirSync({ prefix: `${PREFIX}${kind}-${owner}-` });
}

/** Removes the folders of processes that are gone. Those of other machines and containers stay. */
function sweep(): void {
  try {
    const parent = Deno.env.get("TMPDIR") || "/tmp";
    for (const { name, isDirectory } of Deno.readDirSync(parent)) {
      const [, of, pid, start] = NAME.exec(name) ?? [];
      if (!isDirectory || of !== scopeHere() || startOf(Number(pid)) === Number(start)) continue;
      remove(`${parent}/${name}`);
    }
  } catch (error) {
    log.info("Cannot look for folders that were left behind: {error}", { error });
  }
}

/** What cannot be removed is another user's, or being removed by another process. */
function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
    log.info("Removed {path}, whose process is gone", { path });
  } catch (error) {
    log.debug("Cannot remove {path}: {error}", { path, error });
  }
}

function scopeHere(): string {
  scope ??= createHash("sha256")
    .update(String(readProcFile("/proc/sys/kernel/random/boot_id")))
    .update(String(startOf(1))) // of a container's own first process
    .digest("hex").slice(0, 8);
  return scope;
}
