/** Bytes that tell a length or count, behind the heads of bin, ext and the like; and bytes beside. */
const SIZED: Readonly<Record<number, readonly [lengthBytes: number, more: number]>> = {
  0xc4: [1, 0],
  0xc5: [2, 0],
  0xc6: [4, 0],
  0xc7: [1, 1],
  0xc8: [2, 1],
  0xc9: [4, 1],
  0xd9: [1, 0],
  0xda: [2, 0],
  0xdb: [4, 0],
};

/** Bytes behind heads of a fixed size. */
const FIXED: Readonly<Record<number, number>> = {
  ...{ 0xca: 4, 0xcb: 8, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8, 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8 },
  ...{ 0xd4: 2, 0xd5: 3, 0xd6: 5, 0xd7: 9, 0xd8: 17 },
};

/**
 * Checks that MessagePack does not say to have more entries than its bytes can hold: the decoder makes room for
 * them before it reads them, for 30 million in each 5 bytes. Other faults are left to the decoder.
 *
 * @throws {RangeError} if it does
 */
export function checkCounts(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numberAt = (at: number, length: number): number => {
    if (at + length > bytes.length) return 0;
    return length === 1
      ? view.getUint8(at)
      : length === 2
      ? view.getUint16(at)
      : view.getUint32(at);
  };
  let at = 0;
  for (let entries = 1; entries > 0 && at < bytes.length;) {
    const head = bytes[at++]!;
    entries--;
    if (head < 0x80 || head >= 0xe0) continue;
    if (head < 0x90) entries += 2 * (head & 0x0f);
    else if (head < 0xa0) entries += head & 0x0f;
    else if (head < 0xc0) at += head & 0x1f;
    else if (head >= 0xdc) {
      const length = head % 2 === 0 ? 2 : 4;
      entries += numberAt(at, length) * (head >= 0xde ? 2 : 1);
      at += length;
    } else if (SIZED[head] !== undefined) {
      const [length, more] = SIZED[head];
      at += length + more + numberAt(at, length);
    } else at += FIXED[head] ?? 0;
    if (entries > bytes.length - at) {
      throw new RangeError(`it says to have more entries than its ${bytes.length} bytes can hold`);
    }
  }
}
