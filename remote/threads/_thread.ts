import { PipelineError } from "../../core/errors.ts";
import type { NodeSpec } from "../../core/executor.ts";
import type { HostSegment } from "../sandbox/_host_segment.ts";
import type { Place } from "../sandbox/_place.ts";
import type { GuestMessage, HostMessage } from "../sandbox/protocol.ts";
import { PortWire, unpack } from "./_port_wire.ts";

/** One Web Worker, which runs any number of segments. */
export class Thread {
  readonly #worker: Worker;
  readonly #wire: PortWire<HostMessage>;
  readonly #segments = new Map<number, HostSegment>();
  #nextSegment = 1;
  #ended = false;

  /** @param transfer whether buffers are transferred or copied */
  constructor(transfer: boolean) {
    const url = new URL("./thread_worker.ts", import.meta.url);
    this.#worker = new Worker(url, { type: "module", name: transfer ? "transfer" : "copy" });
    this.#wire = new PortWire(this.#worker, { transfer });
    this.#worker.onmessage = ({ data }) => {
      const message = unpack<GuestMessage>(data);
      if ("segment" in message) void this.#segments.get(message.segment)?.accept(message);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.end(new PipelineError(`A thread failed: ${event.message}`));
    };
  }

  /** How many segments it runs. */
  get load(): number {
    return this.#segments.size;
  }

  /** Whether it takes no more segments. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Runs a segment. */
  place(
    segment: HostSegment,
    nodes: readonly NodeSpec[],
    states: Map<string, unknown> | undefined,
  ): Place {
    const id = this.#nextSegment++;
    this.#segments.set(id, segment);
    this.#wire.send({ type: "open", segment: id, nodes: [...nodes], states });
    return {
      wire: this.#wire,
      id,
      release: () => {
        this.#segments.delete(id);
        return Promise.resolve();
      },
      abandon: () => this.end(new PipelineError("A thread did not close its nodes in time")),
    };
  }

  /** Ends it; what it runs fails. */
  end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#worker.terminate();
    for (const segment of this.#segments.values()) segment.lost(reason);
    this.#segments.clear();
  }
}
