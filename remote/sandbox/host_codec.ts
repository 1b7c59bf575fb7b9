import { decodeValue } from "../../core/codec/mod.ts";
import { SerializationError } from "../../core/errors.ts";
import type { NodeSpec } from "../../core/executor.ts";
import { BlobReader, type Packet } from "./_blobs.ts";
import {
  type Codes,
  encodeFields,
  entryFields,
  entryOf,
  invert,
  MAX_ENTRIES,
  MAX_NAME,
  outcomeFields,
  outcomeOf,
} from "./_codec_parts.ts";
import { Fields } from "./_fields.ts";
import { decodeFailure } from "./failure.ts";
import type { HostMessage, Operation } from "./protocol.ts";

const hostCodes: Codes<HostMessage> = {
  "load": 1,
  "open": 2,
  "inputs": 3,
  "end": 4,
  "credit": 5,
  "interrupt": 6,
  "stop": 7,
  "ask-stats": 8,
  "operate": 9,
  "called-back": 10,
};

const hostTypes = invert(hostCodes);

/** A message of the host as it goes over the wire. */
export function packHostMessage(message: HostMessage): Packet {
  const tail: Uint8Array[] = [];
  return {
    head: encodeFields([hostCodes[message.type], ...hostFields(message, tail)], message),
    tail,
  };
}

/** The bytes of a message of the host that holds no chunks. */
export function encodeHostMessage(message: HostMessage): Uint8Array {
  return packHostMessage(message).head;
}

function hostFields(message: HostMessage, tail: Uint8Array[]): unknown[] {
  switch (message.type) {
    case "load":
      return [message.module, message.files, message.usesProcess];
    case "open":
      return [message.segment, message.nodes, message.states];
    case "inputs":
      return [message.segment, message.entries.map((entry) => entryFields(entry, tail))];
    case "end":
      return [message.segment];
    case "credit":
      return [message.segment, message.count];
    case "interrupt":
      return [message.segment, message.id];
    case "stop":
      return [message.segment, message.failure];
    case "ask-stats":
      return [message.segment];
    case "operate":
      return [message.id, message.operation];
    case "called-back":
      return [message.id, outcomeFields(message.outcome)];
  }
}

/**
 * A message of the host, as the guest reads it.
 *
 * @throws {SerializationError} if it is none
 */
export function decodeHostMessage(
  bytes: Uint8Array,
  blobs: BlobReader = new BlobReader(new Uint8Array(0), false),
): HostMessage {
  const fields = Fields.of(decodeValue(bytes));
  const type = hostTypes.get(fields.count());
  switch (type) {
    case "load":
      return {
        type,
        module: fields.text(MAX_NAME),
        files: fields.list(MAX_ENTRIES, (name) => Fields.text(name, MAX_NAME)),
        usesProcess: fields.flag(),
      };
    case "open":
      return {
        type,
        segment: fields.count(),
        nodes: fields.next() as NodeSpec[],
        states: fields.next() as Map<string, unknown> | undefined,
      };
    case "inputs":
      return {
        type,
        segment: fields.count(),
        entries: fields.list(MAX_ENTRIES, (entry) => entryOf(entry, blobs)),
      };
    case "end":
      return { type, segment: fields.count() };
    case "credit":
      return { type, segment: fields.count(), count: fields.count() };
    case "interrupt":
      return { type, segment: fields.count(), id: fields.count() };
    case "stop":
      return { type, segment: fields.count(), failure: decodeFailure(fields.next()) };
    case "ask-stats":
      return { type, segment: fields.count() };
    case "operate":
      return { type, id: fields.count(), operation: fields.next() as Operation };
    case "called-back":
      return { type, id: fields.count(), outcome: outcomeOf(fields.next()) };
    case undefined:
      throw new SerializationError("Cannot decode message as its type is not known");
  }
}
