import { builtinNodes } from "../nodes/mod.ts";

/** What the code says of a node type. */
export interface NodeDoc {
  /** The folder that it is in, as `audio`. */
  folder: string;
  /** The documentation of its class, as Markdown, without examples. */
  text: string;
}

interface Declaration {
  location: { filename: string };
  jsDoc?: { doc?: string };
}

/** The documentation of all node types, by type, as it stands above their classes. */
export function nodeDocs(): Map<string, NodeDoc> {
  const root = new URL("../", import.meta.url);
  const { stdout, success } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "nodes/mod.ts"],
    cwd: root,
    stderr: "null",
  }).outputSync();
  if (!success) throw new Error("Cannot read the documentation of the nodes");
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as {
    nodes: Record<string, { symbols: { name: string; declarations: Declaration[] }[] }>;
  };
  const symbols = new Map(
    Object.values(nodes).flatMap((module) => module.symbols)
      .map(({ name, declarations }) => [name, declarations[0]!]),
  );
  return new Map(builtinNodes.map((nodeClass) => {
    const declaration = symbols.get(nodeClass.name);
    if (declaration === undefined) throw new Error(`Cannot find the class ${nodeClass.name}`);
    const { location, jsDoc } = declaration;
    const folder = location.filename.slice(root.href.length).split("/")[1]!;
    const text = (jsDoc?.doc ?? "").replaceAll(/\{@link(?:code)? ([^}\s]+)[^}]*\}/g, "`$1`").trim();
    return [nodeClass.type ?? nodeClass.name, { folder, text }];
  }));
}
