import { z } from "zod";

/** The option that names a part of the chunk. */
export const fieldOption: z.ZodOptional<z.ZodString> = z.string().min(1).optional()
  .describe("Path to the part of the chunk that is looked at, such as metadata.speaker");

/** What stands at a dotted path in a chunk; the chunk itself without a path; `undefined` if nothing does. */
export function fieldOf(chunk: unknown, path: string | undefined): unknown {
  if (path === undefined) return chunk;
  let value = chunk;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** The time of a frame, or of any object with a `timestamp`, in µs; `undefined` if it has none. */
export function timestampOf(chunk: unknown): number | undefined {
  const timestamp = fieldOf(chunk, "timestamp");
  return typeof timestamp === "number" && Number.isFinite(timestamp) ? timestamp : undefined;
}

/** The time of a chunk that must have one, in µs. @throws {TypeError} if it has none */
export function requireTimestamp(type: string, chunk: unknown): number {
  const timestamp = timestampOf(chunk);
  if (timestamp !== undefined) return timestamp;
  throw new TypeError(`${type} goes by the timestamp of chunks (in µs): this one has none`);
}
