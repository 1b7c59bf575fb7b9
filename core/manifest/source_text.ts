import { type Document, isAlias, isCollection, isMap, isNode, isScalar, isSeq } from "yaml";
import { LineCounter, parseDocument, visit } from "yaml";
import { messageOf } from "../errors.ts";
import { ManifestError, type ManifestIssue } from "./manifest_error.ts";

/** The longest manifest, in UTF-16 units. */
const MAX_LENGTH = 2 ** 20;

/** How deep lists and maps may be nested. */
const MAX_DEPTH = 64;

/** How many nodes aliases may expand to, as a multiple of those in the text. */
const MAX_ALIASES = 100;

/** What the parser says to its own users, for ours. */
const inOtherWords: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "it holds several documents, give each a file of its own",
};

/** Where something is in a manifest. */
export type Path = readonly PropertyKey[];

/** The text of a manifest, as data, and where each value of it stands. */
export class SourceText {
  readonly file: string;
  /** The data. */
  readonly data: unknown;
  readonly #document: Document;
  readonly #lines = new LineCounter();

  /**
   * Reads YAML 1.2, of which JSON is a part. Time and memory are bounded: the length, the depth, and what
   * aliases expand to.
   *
   * @throws {ManifestError} if it is no YAML, or passes a bound
   */
  constructor(text: string, file: string) {
    this.file = file;
    const refuse = (message: string, cause?: unknown) => {
      throw new ManifestError(file, [{ message, line: 1, column: 1 }], { cause });
    };
    if (text.length > MAX_LENGTH) {
      refuse(`Cannot read manifest as it must have at most ${MAX_LENGTH} characters`);
    }
    const lines = this.#lines;
    const [document, tooDeep] = parse(text, lines);
    if (tooDeep) refuse(`Cannot read manifest as it must be nested at most ${MAX_DEPTH} deep`);
    this.#document = document!;
    const faults = [...document!.errors, ...document!.warnings, ...unknownAliases(document!)];
    if (faults.length > 0) {
      throw new ManifestError(
        file,
        faults.slice(0, 20).map(({ code, message, pos }) => {
          const { line, col } = lines.linePos(pos[0]);
          const rule = (inOtherWords[code] ?? message.split("\n")[0]!)
            .replace(/ at line \d+, column \d+:?$/, "");
          return {
            message: `Cannot read manifest as it is not well-formed: ${rule}`,
            line: Math.max(1, line),
            column: Math.max(1, col),
          };
        }),
        { cause: faults[0] },
      );
    }
    try {
      this.data = document!.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (cause) {
      refuse(`Cannot read manifest as its aliases are wrong: ${messageOf(cause)}`, cause);
    }
  }

  /** A fault of the value at `path`, or of its key. */
  issue(message: string, path: Path, { atKey = false }: { atKey?: boolean } = {}): ManifestIssue {
    const { line, col } = this.#lines.linePos(this.#offset(path, atKey));
    return { message, line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** Where the value is, or the nearest thing around it that is there. */
  #offset(path: Path, atKey: boolean): number {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? node.range?.[0] ?? 0 : 0;
    for (const [index, step] of path.entries()) {
      const isLast = index === path.length - 1;
      if (isAlias(node)) node = node.resolve(this.#document);
      if (isMap(node)) {
        const pair = node.items.find(({ key }) =>
          isScalar(key) && String(key.value) === String(step)
        );
        if (pair === undefined) return offset;
        const target = isLast && (atKey || !isNode(pair.value)) ? pair.key : pair.value;
        offset = isNode(target) ? target.range?.[0] ?? offset : offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        if (!isNode(node)) return offset;
        offset = node.range?.[0] ?? offset;
      } else return offset;
    }
    return offset;
  }
}

/** The document, or that it is nested too deep. */
function parse(text: string, lineCounter: LineCounter): [Document | undefined, boolean] {
  try {
    const document = parseDocument(text, {
      lineCounter,
      uniqueKeys: true,
      prettyErrors: true,
      logLevel: "error", // what is wrong is told as data, not on the standard error
    });
    return [document, isTooDeep(document.contents, 0)];
  } catch (error) {
    if (error instanceof RangeError) return [undefined, true]; // the parser's stack is the bound
    throw error;
  }
}

/** Aliases of what has no such anchor before it. */
function unknownAliases(document: Document): { code: string; message: string; pos: [number] }[] {
  const faults: { code: string; message: string; pos: [number] }[] = [];
  const anchors = new Set<string>();
  visit(document, {
    Value(_, { anchor }) {
      if (anchor !== undefined) anchors.add(anchor);
    },
    Alias(_, { source, range }) {
      if (anchors.has(source)) return;
      const message = `Alias *${source} has no anchor &${source} before it`;
      faults.push({ code: "ALIAS", message, pos: [range?.[0] ?? 0] });
    },
  });
  return faults;
}

function isTooDeep(node: unknown, depth: number): boolean {
  if (!isCollection(node)) return false;
  if (depth >= MAX_DEPTH) return true;
  return node.items.some((item) =>
    isTooDeep(isNode(item) ? item : (item as { value?: unknown })?.value, depth + 1)
  );
}
