import type { ByteInput } from "../_byte_input.ts";
import { MediaError, messageOf } from "../../../core/errors.ts";

/** A temporary file, removed when disposed of. */
export interface SpooledFile extends AsyncDisposable {
  readonly path: string;
}

/**
 * Writes all of an input to a temporary file: an MP4 whose index is at its end cannot be read front to
 * back. Bounded by the disk; memory holds one piece.
 *
 * @throws {MediaError} if the disk does not take it; nothing is left then
 */
export async function spool(
  input: ByteInput,
  { action, signal }: { action: string; signal: AbortSignal },
): Promise<SpooledFile> {
  const path = await Deno.makeTempFile({ prefix: "remotemedia-", suffix: ".mp4" });
  const remove = () => Deno.remove(path);
  try {
    using file = await Deno.open(path, { write: true });
    while (true) {
      const piece = await input.read();
      signal.throwIfAborted();
      if (piece === undefined) break;
      try {
        for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
      } catch (cause) {
        const why = `its temporary file could not be written: ${messageOf(cause)}`;
        throw new MediaError(`Cannot ${action} as ${why}`, { cause });
      }
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
}
