import { decodeValue } from "../../core/codec/mod.ts";
import { SerializationError } from "../../core/errors.ts";
import { BlobReader, type Packet } from "./_blobs.ts";
import {
  type Codes,
  encodeFields,
  entryFields,
  entryOf,
  invert,
  MAX_ENTRIES,
  MAX_NAME,
  MAX_NODES,
  outcomeFields,
  outcomeOf,
  statsFields,
  statsOf,
} from "./_codec_parts.ts";
import { Fields } from "./_fields.ts";
import { decodeFailure } from "./failure.ts";
import { type GuestMessage, logLevels, MAX_LOG_TEXT } from "./protocol.ts";

/** The most values of one message, and about how many bytes each takes here beside its own. */
const MAX_ITEMS = 1_000_000;
const ITEM_BYTES = 56;

const guestCodes: Codes<GuestMessage> = {
  "ready": 1,
  "loaded": 2,
  "not-loaded": 3,
  "opened": 4,
  "outputs": 5,
  "credit": 6,
  "interrupted": 7,
  "ended": 8,
  "failed": 9,
  "stats": 10,
  "operated": 11,
  "call-back": 12,
  "log": 13,
};

const guestTypes = invert(guestCodes);

/** A message of the guest as it goes over the wire. */
export function packGuestMessage(message: GuestMessage): Packet {
  const tail: Uint8Array[] = [];
  return {
    head: encodeFields([guestCodes[message.type], ...guestFields(message, tail)], message),
    tail,
  };
}

/** The bytes of a message of the guest that holds no chunks. */
export function encodeGuestMessage(message: GuestMessage): Uint8Array {
  return packGuestMessage(message).head;
}

function guestFields(message: GuestMessage, tail: Uint8Array[]): unknown[] {
  switch (message.type) {
    case "ready":
      return [message.version];
    case "loaded":
      return [message.exports];
    case "not-loaded":
      return [message.failure];
    case "opened":
      return [message.segment, message.capacity];
    case "outputs":
      return [message.segment, message.entries.map((entry) => entryFields(entry, tail))];
    case "credit":
      return [message.segment, message.count];
    case "interrupted":
      return [message.segment, message.id];
    case "ended":
      return [message.segment, message.stats.map(statsFields)];
    case "failed":
      return [message.segment, message.failure, message.stats.map(statsFields)];
    case "stats":
      return [message.segment, message.stats.map(statsFields)];
    case "operated":
      return [message.id, outcomeFields(message.outcome)];
    case "call-back":
      return [message.id, message.callback, message.args];
    case "log":
      return [logLevels.indexOf(message.level), message.text, message.dropped];
  }
}

/**
 * A message of the guest, as the host reads it: whatever is not exactly a message is refused.
 *
 * @throws {SerializationError} naming what is wrong with it
 */
export function decodeGuestMessage(
  bytes: Uint8Array,
  blobs: BlobReader = new BlobReader(new Uint8Array(0), false),
): GuestMessage {
  const budget = { items: MAX_ITEMS };
  const fields = Fields.of(decodeValue(bytes, { budget }));
  const message = guestMessageOf(fields, blobs);
  fields.end();
  blobs.end();
  if (message.type === "outputs") {
    const taken = bytes.length + blobs.size + (MAX_ITEMS - budget.items) * ITEM_BYTES;
    for (const entry of message.entries) entry.bytes = taken / message.entries.length;
  }
  return message;
}

function guestMessageOf(fields: Fields, blobs: BlobReader): GuestMessage {
  const type = guestTypes.get(fields.count());
  switch (type) {
    case "ready":
      return { type, version: fields.count() };
    case "loaded":
      return { type, exports: fields.list(MAX_ENTRIES, (name) => Fields.text(name, MAX_NAME)) };
    case "not-loaded":
      return { type, failure: decodeFailure(fields.next()) };
    case "opened":
      return { type, segment: fields.count(), capacity: fields.count() };
    case "outputs":
      return {
        type,
        segment: fields.count(),
        entries: fields.list(MAX_ENTRIES, (entry) => entryOf(entry, blobs)),
      };
    case "credit":
      return { type, segment: fields.count(), count: fields.count() };
    case "interrupted":
      return { type, segment: fields.count(), id: fields.count() };
    case "ended":
      return { type, segment: fields.count(), stats: fields.list(MAX_NODES, statsOf) };
    case "failed":
      return {
        type,
        segment: fields.count(),
        failure: decodeFailure(fields.next()),
        stats: fields.list(MAX_NODES, statsOf),
      };
    case "stats":
      return { type, segment: fields.count(), stats: fields.list(MAX_NODES, statsOf) };
    case "operated":
      return { type, id: fields.count(), outcome: outcomeOf(fields.next()) };
    case "call-back":
      return { type, id: fields.count(), callback: fields.count(), args: fields.bytes() };
    case "log":
      return {
        type,
        level: logLevels[fields.count(logLevels.length - 1)]!,
        text: fields.text(MAX_LOG_TEXT),
        dropped: fields.count(),
      };
    case undefined:
      throw new SerializationError("Cannot decode message as its type is not known");
  }
}
