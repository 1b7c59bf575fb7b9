import { decodeValue, encodeValue } from "../../core/codec/mod.ts";
import {
  AudioFrame,
  EncodedFrame,
  type Frame,
  Marker,
  Tensor,
  VideoFrame,
} from "../../core/frames/mod.ts";
import type { MessageSource, Wire } from "../sandbox/_wire.ts";
import type { Entry, GuestMessage, HostMessage } from "../sandbox/protocol.ts";

/** Where messages go: a Worker, or from inside of one its scope. */
export interface Port {
  /** Posts a message, and gives away what is in `transfer`. */
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** A chunk as `postMessage` can carry it. */
type Packed =
  | { kind: "plain"; value: unknown }
  | { kind: "frame"; type: Frame["kind"]; init: unknown }
  | { kind: "encoded"; bytes: Uint8Array }
  | (Omit<Entry & { kind: "barrier" }, "states"> & { states: Uint8Array });

/**
 * Messages over `postMessage`. Samples, pixels and bytes are transferred, if they have their buffer for
 * themselves; what else is no plain value goes by the codec.
 */
export class PortWire<Message extends HostMessage | GuestMessage> implements Wire<Message> {
  readonly #port: Port;
  readonly #transfer: boolean;
  readonly #sources = new Set<MessageSource<Message>>();

  /** @param port where to; @param options whether buffers are transferred or copied */
  constructor(port: Port, { transfer }: { transfer: boolean }) {
    this.#port = port;
    this.#transfer = transfer;
  }

  /** Sends a message. */
  send(message: Message): void {
    const transfer: Transferable[] = [];
    this.#port.postMessage(this.#packMessage(message, transfer), transfer);
  }

  /** Asks `source` for a message after what runs now. */
  schedule(source: MessageSource<Message>): void {
    if (this.#sources.size === 0) queueMicrotask(() => this.#ask());
    this.#sources.add(source);
  }

  #ask(): void {
    const sources = [...this.#sources];
    this.#sources.clear();
    for (const source of sources) {
      try {
        const message = source.next();
        if (message !== undefined) this.send(message);
      } catch (error) {
        source.failed(error);
      }
    }
  }

  #packMessage(message: Message, transfer: Transferable[]): unknown {
    if ("entries" in message) {
      return { ...message, entries: message.entries.map((entry) => this.#pack(entry, transfer)) };
    }
    if (message.type === "open") {
      return { ...message, states: this.#give(encodeValue(message.states), transfer) };
    }
    return message;
  }

  #pack(entry: Entry, transfer: Transferable[]): Packed {
    if (entry.kind === "barrier") {
      return { ...entry, states: this.#give(encodeValue(entry.states), transfer) };
    }
    const { value } = entry;
    if (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol") {
      return { kind: "plain", value };
    }
    if (value instanceof Marker) {
      return { kind: "encoded", bytes: this.#give(encodeValue(value), transfer) };
    }
    if (isFrame(value)) {
      const init = { ...value, data: this.#give(value.data, transfer) };
      return { kind: "frame", type: value.kind, init };
    }
    if (ArrayBuffer.isView(value)) return { kind: "plain", value: this.#give(value, transfer) };
    return { kind: "encoded", bytes: this.#give(encodeValue(value), transfer) };
  }

  /** The same bytes to be transferred if nothing else is in their buffer, else to be copied. */
  #give<T extends ArrayBufferView>(view: T, transfer: Transferable[]): T {
    const { buffer, byteLength } = view;
    const alone = byteLength === buffer.byteLength && buffer instanceof ArrayBuffer;
    if (this.#transfer && alone && !transfer.includes(buffer)) {
      transfer.push(buffer);
      return view;
    }
    return alone || !("slice" in view)
      ? view
      : (view as unknown as Uint8Array).slice() as unknown as T;
  }
}

/** A message as it was before it was packed. */
export function unpack<Message extends HostMessage | GuestMessage>(message: unknown): Message {
  const packed = message as { type: string; entries?: Packed[]; states?: Uint8Array };
  const { entries, states } = packed;
  if (entries !== undefined) {
    return { ...packed, entries: entries.map(unpackEntry) } as unknown as Message;
  }
  if (packed.type !== "open") return message as Message;
  return { ...packed, states: decode(states!) } as unknown as Message;
}

function unpackEntry(packed: Packed): Entry {
  switch (packed.kind) {
    case "plain":
      return { kind: "chunk", value: packed.value };
    case "frame":
      return { kind: "chunk", value: frameOf(packed.type, packed.init) };
    case "encoded":
      return { kind: "chunk", value: decode(packed.bytes) };
    case "barrier":
      return { ...packed, states: decode(packed.states) as Map<string, unknown> };
  }
}

function decode(bytes: Uint8Array): unknown {
  return decodeValue(bytes, { maxItems: Infinity });
}

function frameOf(kind: Frame["kind"], init: unknown): Frame {
  switch (kind) {
    case "audio":
      return new AudioFrame(init as never);
    case "video":
      return new VideoFrame(init as never);
    case "encoded":
      return new EncodedFrame(init as never);
    case "tensor":
      return new Tensor(init as never);
    case "marker":
      return new Marker(init as never);
  }
}

function isFrame(value: unknown): value is Exclude<Frame, Marker> {
  return value instanceof AudioFrame || value instanceof VideoFrame ||
    value instanceof EncodedFrame || value instanceof Tensor;
}
