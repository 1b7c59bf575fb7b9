import { Link } from "../_link.ts";
import { failureOf } from "../failure.ts";
import { packGuestMessage } from "../guest_codec.ts";
import { decodeHostMessage } from "../host_codec.ts";
import { splitMessage } from "../_codec_parts.ts";
import { type GuestMessage, type HostMessage, PROTOCOL_VERSION } from "../protocol.ts";
import { installDataFiles } from "../../../packaging/data_files.ts";
import { BundleFiles } from "./bundle_files.ts";
import { GuestObjects } from "./guest_objects.ts";
import { type Exports, GuestSegment } from "./guest_segment.ts";

/** The guest's end of the wire: does what the host says. */
export class GuestHost {
  readonly #link: Link<GuestMessage>;
  readonly #segments = new Map<number, GuestSegment>();
  #exports: Exports = {};
  #objects: GuestObjects | undefined;

  /** @param connection to the host; @param maxMessageBytes the size of the largest message */
  constructor(connection: Deno.Conn, maxMessageBytes: number) {
    this.#link = new Link(connection, {
      encode: packGuestMessage,
      split: splitMessage,
      maxBytes: maxMessageBytes,
    });
  }

  /** Sends a message. */
  say(message: GuestMessage): void {
    this.#link.send(message);
  }

  /** Listens until the host hangs up; then there is nothing left to live for. */
  async serve(): Promise<void> {
    this.say({ type: "ready", version: PROTOCOL_VERSION });
    await this.#link.receive((head, blobs) => this.#accept(decodeHostMessage(head, blobs)));
    throw new Error("the host hung up");
  }

  #accept(message: HostMessage): void {
    switch (message.type) {
      case "load":
        return void this.#load(message);
      case "open":
        return this.#open(message);
      case "inputs":
        return this.#segments.get(message.segment)?.accept(message.entries);
      case "end":
        return this.#segments.get(message.segment)?.end();
      case "credit":
        return this.#segments.get(message.segment)?.credit(message.count);
      case "interrupt":
        return void this.#segments.get(message.segment)?.interrupt(message.id);
      case "stop":
        return void this.#segments.get(message.segment)?.stop(message.failure);
      case "ask-stats":
        return this.#segments.get(message.segment)?.tellStats();
      case "operate":
        return void this.#objects?.operate(message.id, message.operation);
      case "called-back":
        return this.#objects?.calledBack(message.id, message.outcome);
    }
  }

  async #load({ module, files, usesProcess }: HostMessage & { type: "load" }): Promise<void> {
    try {
      if (usesProcess) void Reflect.get(globalThis, "process");
      installDataFiles(new BundleFiles(module, files));
      this.#exports = await import(module);
      this.#objects = new GuestObjects(this.#exports, (message) => this.say(message));
      this.say({ type: "loaded", exports: Object.keys(this.#exports) });
    } catch (error) {
      this.say({ type: "not-loaded", failure: failureOf(error) });
    }
  }

  #open({ segment, nodes, states }: HostMessage & { type: "open" }): void {
    try {
      const wire = this.#link;
      const exportsOf = () => this.#exports;
      const opened = new GuestSegment(segment, { nodes, states, exportsOf, wire });
      this.#segments.set(segment, opened);
      this.say({ type: "opened", segment, capacity: opened.capacity });
      void opened.run().finally(() => this.#segments.delete(segment));
    } catch (error) {
      this.say({ type: "failed", segment, failure: failureOf(error), stats: [] });
    }
  }
}
