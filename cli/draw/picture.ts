import { shapeOf } from "../../core/manifest/check_graph.ts";
import type { Connection, Manifest, NodeStats } from "../../core/mod.ts";

/** A node in a picture. */
export interface Box {
  id: string;
  /** Its type, and what else there is to say, a line each. */
  lines: string[];
  /** Where it runs; `undefined` here. */
  place: string | undefined;
  /** The share of time spent in it, 0 to 1, where that is known. */
  heat: number | undefined;
}

/** A picture before it has a form. */
export interface Picture {
  name: string;
  boxes: Box[];
  arrows: (Connection & { label: string })[];
  inputs: readonly string[];
  outputs: readonly string[];
}

/** What a manifest looks like. @param stats colours it by the time spent */
export function pictureOf(manifest: Manifest, stats: readonly NodeStats[] = []): Picture {
  const { connections, inputs, outputs } = shapeOf(manifest);
  const total = stats.reduce((sum, { busyMs }) => sum + busyMs, 0);
  return {
    name: manifest.name,
    inputs,
    outputs,
    boxes: manifest.nodes.map(({ id, type, module, graph, options = {}, executor, ...rest }) => {
      const stat = stats.find(({ name }) => name === id);
      const kind = type ?? module?.split("#").at(-1) ?? `graph of ${graph!.nodes.length} nodes`;
      const settings = Object.entries(options).slice(0, 6).map(([name, value]) =>
        cut(`${name}: ${JSON.stringify(value)}`)
      );
      const { queue, concurrency, merge } = rest;
      return {
        id,
        place: executor,
        heat: stat === undefined || total === 0 ? undefined : stat.busyMs / total,
        lines: [
          ...(kind === id ? [] : [kind]),
          ...settings,
          ...(queue === undefined ? [] : [`queue ${queue.size} ${queue.overflow ?? "block"}`]),
          ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
          ...(merge === undefined ? [] : [`merge by ${merge.order ?? "arrival"}`]),
          ...(stat === undefined
            ? []
            : [`${stat.in} in, ${stat.out} out, ${Math.round(stat.busyMs)} ms`]),
        ],
      };
    }),
    arrows: connections.map((connection) => ({ ...connection, label: labelOf(connection) })),
  };
}

function labelOf({ policy, size, every }: Connection): string {
  const parts = [
    policy,
    size === undefined ? undefined : `${size}`,
    every === undefined ? undefined : `1 of ${every}`,
  ];
  return parts.filter((part) => part !== undefined).join(" ");
}

function cut(text: string): string {
  const letters = [...text]; // not to cut one in two
  return letters.length > 34 ? `${letters.slice(0, 33).join("")}…` : text;
}

/** Boxes by where they run, in the order of their first one. */
export function byPlace(boxes: readonly Box[]): Map<string | undefined, Box[]> {
  return Map.groupBy(boxes, ({ place }) => place);
}
