import { Buffer } from "node:buffer";

/** A message that is bytes already, as grpc-js wants to send it. */
export function toBuffer(message: Uint8Array): Buffer {
  return Buffer.isBuffer(message)
    ? message
    : Buffer.from(message.buffer, message.byteOffset, message.byteLength);
}

/** A message that stays bytes, as grpc-js gives it. */
export function sameBytes(message: Buffer): Uint8Array {
  return message;
}
