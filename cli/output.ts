import { messageOf, PackagingError } from "../core/errors.ts";
import { writeAll } from "./files.ts";

const encoder = new TextEncoder();

/** Whether what is printed on the standard error is JSON, one line each. */
let isJson = false;

/** Prints messages as JSON from now on. */
export function printJson(): void {
  isJson = true;
}

/** Writes a line to the standard output. @throws {Deno.errors.BrokenPipe} if nobody reads it any more */
export function print(text: string): void {
  writeAll(Deno.stdout, encoder.encode(`${text}\n`));
}

/** Tells one sentence on the standard error. */
export function printError(message: string): void {
  const line = message.split("\n")[0]!;
  const text = isJson ? JSON.stringify({ level: "error", message: line }) : `remotemedia: ${line}`;
  console.error(text);
}

/** Tells why something failed: in one sentence, or in the compiler's own words. @param about what it was about */
export function tellFailure(error: unknown, about?: string): void {
  const message = about === undefined ? messageOf(error) : `${about}: ${messageOf(error)}`;
  if (error instanceof PackagingError) printWhole(message);
  else printError(message);
}

/** Tells all lines of a message on the standard error: what a compiler said. */
function printWhole(message: string): void {
  const text = message.replace(/^\s+at (\S+:\d+:\d+)$/gm, "  in $1"); // a place, no stack trace
  if (isJson) console.error(JSON.stringify({ level: "error", message: text }));
  else console.error(`remotemedia: ${text}`);
}

/** Rows below each other, columns aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((widest, row) => {
    for (const [column, cell] of row.entries()) {
      widest[column] = Math.max(widest[column] ?? 0, cell.length);
    }
    return widest;
  }, []);
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
  ).join("\n");
}
