import { parseModule as parseSource } from "meriyah";
import { messageOf, PackagingError } from "../core/errors.ts";

/** A name that an import or re-export binds: `*` stands for the whole module. */
export interface Binding {
  /** The name in the other module. */
  imported: string;
  /** The name here. */
  local: string;
}

/** One way in which a module reaches for another. Positions are UTF-16 offsets in its source. */
export interface ImportUse {
  /** `static`, `re-export`, `re-export-all` and `dynamic`; `meta` is `import.meta.<specifier>`. */
  kind: "static" | "re-export" | "re-export-all" | "dynamic" | "meta";
  /** The other module's specifier; `undefined` where it is computed. */
  specifier: string | undefined;
  /** Whether it has import attributes, options or a phase (`defer`, `source`). */
  hasExtras: boolean;
  /** What it binds. */
  bindings: Binding[];
  /** Where it starts. */
  start: number;
  /** Where it ends. */
  end: number;
  /** Where the specifier with its quotes starts. */
  specifierStart: number;
  /** Where the specifier with its quotes ends. */
  specifierEnd: number;
}

/** A Worker that a module starts from a module beside it: `new Worker(new URL("./w.ts", import.meta.url))`. */
export interface WorkerUse {
  /** The module of the Worker; `undefined` where it is computed. */
  specifier: string | undefined;
  /** Where it starts: a UTF-16 offset. */
  start: number;
}

/** What a module takes and gives. */
export interface ModuleSyntax {
  /** All imports, in the order of the source. */
  imports: ImportUse[];
  /** Names that it exports; those of `export *` from elsewhere are not known. */
  exports: string[];
  /** Workers of modules beside it. */
  workers: WorkerUse[];
}

/** A node of the ESTree syntax tree, as it is walked: the types do not tell which keys hold nodes. */
type Tree = Record<string, unknown> & { type: string; start: number; end: number };

/**
 * Parses an ES module and lists its imports and exports. The parser is a whole one, and one that reads
 * regular expressions only where its grammar has an expression: those that guess from the token before
 * (es-module-lexer, acorn) can be led to take code for a regular expression, and so not to see an import.
 *
 * @param maxTokens bounds the memory of the syntax tree: about 150 bytes a token
 * @throws {PackagingError} if it is no ES module, or too large
 */
export function parseModule(source: string, maxTokens: number): ModuleSyntax {
  const program = parseProgram(source, maxTokens);
  const syntax: ModuleSyntax = { imports: [], exports: [], workers: [] };
  const stack: Tree[] = [program];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    visit(node, syntax);
    for (const value of Object.values(node)) {
      // Not spread into push(): a hostile list is longer than a call may have arguments.
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isTree(child)) stack.push(child);
      }
    }
  }
  syntax.imports.sort((a, b) => a.start - b.start);
  return syntax;
}

function parseProgram(source: string, maxTokens: number): Tree {
  let tokens = 0;
  const onToken = () => {
    if (++tokens > maxTokens) {
      throw new PackagingError(`Cannot read module as it has more than ${maxTokens} tokens`);
    }
  };
  try {
    return parseSource(source, { next: true, ranges: true, onToken }) as unknown as Tree;
  } catch (cause) {
    if (cause instanceof PackagingError) throw cause;
    // A RangeError is a stack that overflowed: the source is nested too deep.
    throw new PackagingError(`Cannot read module as it is not valid: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && typeof (value as Tree).type === "string";
}

function visit(node: Tree, { imports, exports, workers }: ModuleSyntax): void {
  switch (node.type) {
    case "ImportDeclaration":
      imports.push(importUse("static", node, bindingsOf(node)));
      break;
    case "ExportAllDeclaration":
      imports.push(importUse("re-export-all", node, []));
      if (isTree(node.exported)) exports.push(nameOf(node.exported));
      break;
    case "ExportNamedDeclaration":
      if (isTree(node.source)) imports.push(importUse("re-export", node, bindingsOf(node)));
      exports.push(...exportedNames(node));
      break;
    case "ExportDefaultDeclaration":
      exports.push("default");
      break;
    case "ImportExpression":
      imports.push(importUse("dynamic", node, []));
      break;
    case "NewExpression": {
      const module = workerModule(node);
      if (module !== undefined) workers.push(module);
      break;
    }
    case "MemberExpression":
      if (isTree(node.object) && node.object.type === "MetaProperty") {
        if (nameOf(node.object.meta as Tree) === "import") imports.push(metaUse(node));
      }
  }
}

function importUse(kind: ImportUse["kind"], node: Tree, bindings: Binding[]): ImportUse {
  const { value, start, end } = node.source as Tree;
  const { attributes, options, phase } = node;
  return {
    kind,
    specifier: typeof value === "string" ? value : undefined,
    hasExtras: isTree(options) || typeof phase === "string" ||
      (Array.isArray(attributes) && attributes.length > 0),
    bindings,
    start: node.start,
    end: node.end,
    specifierStart: start,
    specifierEnd: end,
  };
}

/** The module of a Worker, if a `new` expression starts one of a module beside this one. */
function workerModule({ callee, arguments: args, start }: Tree): WorkerUse | undefined {
  const [url] = args as Tree[];
  if (!isNamed(callee as Tree, "Worker", "SharedWorker")) return undefined;
  if (url?.type !== "NewExpression" || !isNamed(url.callee as Tree, "URL")) return undefined;
  const [specifier, base] = url.arguments as Tree[];
  if (base?.type !== "MemberExpression" || (base.object as Tree).type !== "MetaProperty") {
    return undefined;
  }
  const { value } = specifier as Tree;
  return { specifier: typeof value === "string" ? value : undefined, start };
}

/** Whether an expression is one of the names, or a member of that name: `globalThis.Worker`. */
function isNamed(expression: Tree, ...names: string[]): boolean {
  const { type, property, computed } = expression;
  if (type === "Identifier") return names.includes(nameOf(expression));
  return type === "MemberExpression" && computed !== true &&
    names.includes(nameOf(property as Tree));
}

function metaUse(node: Tree): ImportUse {
  const { value, start, end } = node.property as Tree;
  const name = node.computed === true ? value : nameOf(node.property as Tree);
  return {
    kind: "meta",
    specifier: typeof name === "string" ? name : undefined,
    hasExtras: false,
    bindings: [],
    start: node.start,
    end: node.end,
    specifierStart: start,
    specifierEnd: end,
  };
}

function bindingsOf(node: Tree): Binding[] {
  return (node.specifiers as Tree[]).map((specifier) => {
    switch (specifier.type) {
      case "ImportNamespaceSpecifier":
        return { imported: "*", local: nameOf(specifier.local as Tree) };
      case "ImportDefaultSpecifier":
        return { imported: "default", local: nameOf(specifier.local as Tree) };
      case "ExportSpecifier":
        return {
          imported: nameOf(specifier.local as Tree),
          local: nameOf(specifier.exported as Tree),
        };
      default:
        return {
          imported: nameOf(specifier.imported as Tree),
          local: nameOf(specifier.local as Tree),
        };
    }
  });
}

function exportedNames(node: Tree): string[] {
  const named = (node.specifiers as Tree[]).map((specifier) => nameOf(specifier.exported as Tree));
  if (!isTree(node.declaration)) return named;
  const { id, declarations } = node.declaration;
  if (isTree(id)) return [nameOf(id)];
  return (declarations as Tree[]).flatMap((declarator) => patternNames(declarator.id as Tree));
}

/** The names that a declaration's left side binds. */
function patternNames(pattern: Tree): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [nameOf(pattern)];
    case "ObjectPattern":
      return (pattern.properties as Tree[]).flatMap(({ value, argument }) =>
        patternNames((value ?? argument) as Tree)
      );
    case "ArrayPattern":
      return (pattern.elements as unknown[]).filter(isTree).flatMap(patternNames);
    case "AssignmentPattern":
      return patternNames(pattern.left as Tree);
    default:
      return patternNames(pattern.argument as Tree);
  }
}

/** The name that an identifier or a quoted name spells. */
function nameOf({ name, value }: Tree): string {
  return typeof name === "string" ? name : String(value);
}
