import { Buffer } from "node:buffer";

/** The most that is read of a file: those that are asked for have one line. */
const MAX_BYTES = 65_536;

/** Those calls of the C library that read a file. */
const calls = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

/** Whether Deno lets this process read `/proc`; known once it was tried. */
let isAllowed: boolean | undefined;
let scratch: Buffer | undefined;
let library: Deno.DynamicLibrary<typeof calls> | undefined;

/**
 * The text of a file in Linux' `/proc`; `undefined` if its process is gone. Deno lets only a process with
 * `--allow-all` read there, so one with `--allow-read` and `--allow-ffi` asks the C library.
 *
 * @param path for example `/proc/1234/stat`
 * @throws {Deno.errors.NotCapable} if the process may do neither
 */
export function readProcFile(path: string): string | undefined {
  if (isAllowed === false) return readByLibrary(path);
  try {
    const text = Deno.readTextFileSync(path);
    isAllowed = true;
    return text;
  } catch (error) {
    if (isGone(error)) return undefined;
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    library ??= openLibrary(error);
    isAllowed = false;
    return readByLibrary(path);
  }
}

function openLibrary(refusal: Deno.errors.NotCapable): Deno.DynamicLibrary<typeof calls> {
  for (const name of ["libc.so.6", "libc.so"]) {
    try {
      return Deno.dlopen(name, calls);
    } catch {
      // not this C library, or no --allow-ffi: the refusal tells
    }
  }
  throw refusal;
}

function readByLibrary(path: string): string | undefined {
  const { open, read, close } = library!.symbols;
  const descriptor = open(Buffer.from(`${path}\0`), 0);
  if (descriptor < 0) return undefined;
  try {
    scratch ??= Buffer.alloc(MAX_BYTES);
    const length = Number(read(descriptor, scratch, BigInt(MAX_BYTES)));
    return length < 0 ? undefined : scratch.toString("utf8", 0, length);
  } finally {
    close(descriptor);
  }
}

/** The process ended before or while it was looked at (ESRCH is no class of its own). */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || (error as { code?: unknown }).code === "ESRCH" ||
    /os error 3\)/.test(String(error));
}
