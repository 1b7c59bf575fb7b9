import { messageOf } from "../core/errors.ts";

/** Writes all of the bytes, in as many pieces as it takes. */
export function writeAll(
  target: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  for (let at = 0; at < bytes.length;) at += target.writeSync(bytes.subarray(at));
}

/** Writes a file that a user named. @throws {Error} that says why that cannot be */
export async function writeFile(path: string, data: string | Uint8Array): Promise<void> {
  try {
    if (typeof data === "string") await Deno.writeTextFile(path, data);
    else await Deno.writeFile(path, data);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/** The sentence for a file that cannot be written. */
export function cannotWrite(path: string, cause: unknown): Error {
  const reason = cause instanceof Deno.errors.NotFound
    ? "its folder is not there"
    : reasonOf(cause);
  return new Error(`Cannot write ${path} as ${reason}`, { cause });
}

/** Why a file cannot be read, without the path. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "there is no such file";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (cause instanceof Deno.errors.IsADirectory) return "it is a folder";
  return messageOf(cause);
}
