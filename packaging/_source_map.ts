import { PackagingError } from "../core/errors.ts";

/** A source map, version 3. https://tc39.es/ecma426/ */
export interface SourceMap {
  /** Always 3. */
  version: number;
  /** Where the code comes from. */
  sources: string[];
  /** The text of each source. */
  sourcesContent?: (string | null)[];
  /** Base-64 VLQ segments. */
  mappings: string;
  /** Names in the sources. */
  names: string[];
}

/** A place in a source: line and column from 1. */
export interface SourcePosition {
  /** Index in `sources`. */
  source: number;
  /** The line, from 1. */
  line: number;
  /** The column, from 1. */
  column: number;
}

const marker = "//# sourceMappingURL=data:application/json;base64,";

/**
 * Takes an inline source map off its code.
 *
 * @throws {PackagingError} if there is none
 */
export function splitSourceMap(text: string): { code: string; map: SourceMap } {
  const at = text.lastIndexOf(marker);
  if (at < 0) throw new PackagingError("Cannot package as deno bundle wrote no source map");
  const json = Uint8Array.fromBase64(text.slice(at + marker.length).trim());
  return { code: text.slice(0, at), map: JSON.parse(new TextDecoder().decode(json)) };
}

/** Puts a source map behind its code. */
export function joinSourceMap(
  code: string,
  { version, sources, sourcesContent, mappings, names }: SourceMap,
): string {
  const json = JSON.stringify({ version, sources, sourcesContent, mappings, names });
  return `${code}${marker}${new TextEncoder().encode(json).toBase64()}\n`;
}

/**
 * Where a piece of code comes from.
 *
 * @param line in the code, from 0
 * @param column in the code, from 0
 * @returns the nearest mapping at or before it in its line
 */
export function originalPosition(
  { mappings }: SourceMap,
  line: number,
  column: number,
): SourcePosition | undefined {
  let [source, sourceLine, sourceColumn] = [0, 0, 0];
  let found: SourcePosition | undefined;
  for (const [index, segments] of mappings.split(";").entries()) {
    if (index > line) break;
    let at = 0;
    for (const segment of segments === "" ? [] : segments.split(",")) {
      const [columns = 0, sources, lines, sourceColumns] = decodeVlq(segment);
      at += columns;
      if (sources === undefined) continue;
      source += sources;
      sourceLine += lines!;
      sourceColumn += sourceColumns!;
      if (index === line && at <= column) {
        found = { source, line: sourceLine + 1, column: sourceColumn + 1 };
      }
    }
  }
  return found;
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The numbers of one segment: 5 bits a digit, the sixth says that more follow, the first bit is the sign. */
function decodeVlq(segment: string): number[] {
  const values: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = digits.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if ((bits & 32) !== 0) continue;
    values.push((value & 1) === 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return values;
}
