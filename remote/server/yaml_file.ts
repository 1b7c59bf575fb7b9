import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { ConfigurationError, messageOf } from "../../core/errors.ts";

/** YAML with the lines that its parts stand on. */
export interface YamlText {
  /** What it holds. */
  value: unknown;
  /** The line, from 1, of the part that a path of keys leads to, or of the innermost that is there. */
  lineOf(path: readonly PropertyKey[]): number;
}

/**
 * Reads YAML, of which JSON is a part.
 *
 * @param name what to call it in errors: its path
 * @throws {ConfigurationError} one sentence, with the line
 */
export function parseYaml(text: string, name: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const { line } = lines.linePos(fault.pos[0]);
    throw new ConfigurationError(`Cannot read ${name}, line ${line}: ${fault.message}`, {
      cause: fault,
    });
  }
  return {
    value: document.toJS() as unknown,
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true) as
          | { range?: readonly number[] | null }
          | undefined;
        if (node?.range) return lines.linePos(node.range[0]!).line;
      }
      return 1;
    },
  };
}

/**
 * Reads a YAML file and checks it.
 *
 * @throws {ConfigurationError} one sentence with file, line, setting and rule
 */
export async function readYamlFile<T>(path: string, expected: z.ZodType<T>): Promise<T> {
  const yaml = parseYaml(await readTextFile(path), path);
  const result = expected.safeParse(yaml.value);
  if (result.success) return result.data;
  const { where, rule, keys } = faultIn(result.error);
  throw new ConfigurationError(
    `Cannot read ${path}, line ${yaml.lineOf(keys)}: ${where === "" ? "it" : where} breaks its ` +
      `rule: ${rule}`,
    { cause: result.error },
  );
}

/** What is wrong first, and where. */
export function faultIn(error: z.ZodError): { where: string; rule: string; keys: PropertyKey[] } {
  let issue = error.issues[0]!;
  let keys = [...issue.path];
  // of several forms, the one that was meant is the one that fails deepest
  while (issue.code === "invalid_union" && issue.errors.length > 0) {
    const inner = issue.errors.map((issues) => issues[0]!)
      .sort((a, b) => b.path.length - a.path.length || Number(b.code === "unrecognized_keys"))[0]!;
    keys = [...keys, ...inner.path];
    issue = inner as typeof issue;
  }
  if (issue.code === "unrecognized_keys") keys.push(issue.keys[0]!);
  const rule = issue.code === "unrecognized_keys" ? "there is no such setting" : issue.message;
  return { where: keys.map(String).join("."), rule, keys };
}

/** The text of a file. @throws {ConfigurationError} if it cannot be read */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new ConfigurationError(`Cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}
