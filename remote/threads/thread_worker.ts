/**
 * The first module of a thread: runs segments as its executor says.
 *
 * @module
 */

import type { NodeSpec } from "../../core/executor.ts";
import { failureOf } from "../sandbox/failure.ts";
import { type Exports, GuestSegment } from "../sandbox/guest/guest_segment.ts";
import type { GuestMessage, HostMessage } from "../sandbox/protocol.ts";
import { type Port, PortWire, unpack } from "./_port_wire.ts";

const scope = globalThis as unknown as Port & {
  name: string;
  onmessage: (event: MessageEvent) => void;
};
const wire = new PortWire<GuestMessage>(scope, { transfer: scope.name === "transfer" });
const segments = new Map<number, GuestSegment>();
/** Messages of a segment wait for its modules to be loaded. */
const opening = new Map<number, Promise<void>>();

scope.onmessage = ({ data }) => {
  const message = unpack<HostMessage>(data);
  if (!("segment" in message)) return;
  const { segment } = message;
  if (message.type === "open") {
    opening.set(segment, open(message));
    return;
  }
  const waiting = opening.get(segment);
  if (waiting === undefined) accept(message);
  else opening.set(segment, waiting.then(() => accept(message)));
};

async function open({ segment, nodes, states }: HostMessage & { type: "open" }): Promise<void> {
  try {
    const exportsOf = await load(nodes);
    const opened = new GuestSegment(segment, { nodes, states, exportsOf, wire });
    segments.set(segment, opened);
    wire.send({ type: "opened", segment, capacity: opened.capacity });
    void opened.run().finally(() => {
      segments.delete(segment);
      opening.delete(segment);
    });
  } catch (error) {
    wire.send({ type: "failed", segment, failure: failureOf(error), stats: [] });
  }
}

function accept(message: HostMessage & { segment: number }): void {
  const segment = segments.get(message.segment);
  switch (message.type) {
    case "open":
      return;
    case "inputs":
      return segment?.accept(message.entries);
    case "end":
      return segment?.end();
    case "credit":
      return segment?.credit(message.count);
    case "interrupt":
      return void segment?.interrupt(message.id);
    case "stop":
      return void segment?.stop(message.failure);
    case "ask-stats":
      return segment?.tellStats();
  }
}

/** Gets the exports of each node's own module; `undefined` is that of the built-in nodes. */
async function load(nodes: readonly NodeSpec[]): Promise<(spec: NodeSpec) => Exports> {
  const modules = new Map<string | undefined, Exports>();
  for (const { module } of nodes) {
    if (modules.has(module)) continue;
    modules.set(
      module,
      module === undefined ? await import("../../nodes/mod.ts") : await import(module),
    );
  }
  return ({ module }) => modules.get(module)!;
}
