/** Strings are kept as they are; comments and commas before a closing bracket go. */
const tokens =
  /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[\]}])/g;

/**
 * Reads JSON with comments and trailing commas, as `deno.jsonc` and `tsconfig.json` are written.
 *
 * @throws {SyntaxError} if it is not even that
 */
export function parseJsonc(text: string): unknown {
  return JSON.parse(text.replace(tokens, (_, string: string | undefined) => string ?? ""));
}
