/** What a chunk is, in words for an error: `text`, `an audio frame`, `an array`. */
export function kindOf(chunk: unknown): string {
  if (chunk === null) return "null";
  if (typeof chunk === "string") return "text";
  if (typeof chunk !== "object") return chunk === undefined ? "undefined" : `a ${typeof chunk}`;
  const { kind } = chunk as { kind?: unknown };
  if (typeof kind === "string") return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind} frame`;
  if (Array.isArray(chunk)) return "an array";
  const name = chunk.constructor?.name ?? "Object";
  return name === "Object" ? "an object" : `a ${name}`;
}

/**
 * Words the fault of a chunk that a node cannot take, with both kinds.
 *
 * @param type the type of the node
 * @param wanted what it takes
 */
export function wrongInput(type: string, wanted: string, chunk: unknown): TypeError {
  return new TypeError(`${type} takes ${wanted}: it was given ${kindOf(chunk)}`);
}
