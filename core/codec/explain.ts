import { SerializationError } from "../errors.ts";

/** Thrown inside the writer, without a path: keeping one would cost every value that can travel. */
export class Unencodable extends Error {
  override readonly name = "Unencodable";
}

/** Finds what cannot travel in a value that could not be written, and names its path. */
export function explain(value: unknown, maxDepth: number): SerializationError {
  const found = find(value, "value", { ancestors: [], maxDepth });
  const { path, what } = found ?? { path: "value", what: "is of a kind that cannot travel" };
  return new SerializationError(`Cannot encode value as ${path} ${what}`);
}

interface Search {
  ancestors: object[];
  maxDepth: number;
}

interface Finding {
  path: string;
  what: string;
}

function find(value: unknown, path: string, search: Search): Finding | undefined {
  if (typeof value === "function") {
    return { path, what: `is a function (${value.name === "" ? "anonymous" : value.name})` };
  }
  if (typeof value === "symbol") return { path, what: `is a symbol (${String(value)})` };
  if (typeof value !== "object" || value === null) return undefined;
  const { ancestors, maxDepth } = search;
  if (ancestors.includes(value)) return { path, what: "is circular" };
  if (ancestors.length >= maxDepth && !isCircular(value, ancestors)) {
    return { path: shorten(path), what: `is nested more than ${maxDepth} deep` };
  }
  ancestors.push(value);
  for (const [step, item] of childrenOf(value)) {
    const finding = find(item, path + step, search);
    if (finding !== undefined) return finding;
  }
  ancestors.pop();
  return isBound(value)
    ? {
      path,
      what: `is a ${value.constructor?.name || "host object"}, which lives in this process`,
    }
    : undefined;
}

/** Whether one of the ancestors is met again below a value, so that the circle is what is wrong. */
function isCircular(value: object, ancestors: readonly object[]): boolean {
  const seen = new Set<object>();
  const open: object[] = [value];
  while (open.length > 0) {
    const next = open.pop()!;
    if (ancestors.includes(next)) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    for (const [, item] of childrenOf(next)) {
      if (typeof item === "object" && item !== null) open.push(item);
    }
  }
  return false;
}

function* childrenOf(value: object): Generator<[step: string, item: unknown]> {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return;
  if (value instanceof Map) {
    for (const [key, item] of value) {
      yield [".key()", key];
      yield [`.get(${typeof key === "string" ? JSON.stringify(key) : String(key)})`, item];
    }
  } else if (value instanceof Set) {
    for (const item of value) yield [".value()", item];
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield [`[${index}]`, item];
  } else if (value instanceof Error) {
    yield [".cause", value.cause];
  } else {
    for (const [key, item] of Object.entries(value)) yield [stepTo(key), item];
  }
}

function stepTo(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function isBound(value: object): boolean {
  return !(Array.isArray(value) || value instanceof Error || ArrayBuffer.isView(value)) &&
    !["Object", "Map", "Set", "Date", "RegExp", "ArrayBuffer", "Number", "String", "Boolean"]
      .includes(
        Object.prototype.toString.call(value).slice(8, -1),
      );
}

function shorten(path: string): string {
  return path.length > 80 ? `${path.slice(0, 77)}...` : path;
}
