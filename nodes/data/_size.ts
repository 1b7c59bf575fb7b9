import { encodeValue } from "../../core/codec/codec.ts";

/** How many bytes a chunk takes when it travels, without copying what is already bytes. */
export function sizeOf(chunk: unknown): number {
  if (ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer) return chunk.byteLength;
  if (typeof chunk === "string") return utf8Length(chunk);
  if (typeof chunk === "object" && chunk !== null && "kind" in chunk && "data" in chunk) {
    if (ArrayBuffer.isView(chunk.data)) return chunk.data.byteLength;
  }
  return encodeValue(chunk).length;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    // halves of a surrogate pair are four bytes together, two each
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes += 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}
