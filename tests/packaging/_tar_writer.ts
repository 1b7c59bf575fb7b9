/** A file as a forger writes it: any field may be wrong. */
export interface TarFile {
  name: string | Uint8Array;
  bytes: Uint8Array;
  /** POSIX type: 0 file, 1 hard link, 2 symbolic link, 3 device, 5 folder, x and L extensions, S sparse. */
  type?: string;
  link?: string;
  mode?: string;
  mtime?: number;
  /** The size that the header tells. */
  size?: number;
  checksum?: number;
  /** What follows the content up to the next block. */
  padding?: number;
}

/** Writes a tar archive without any scruples. */
export function createTar(files: readonly TarFile[]): Uint8Array<ArrayBuffer> {
  const blocks = files.flatMap((file) => [header(file), content(file)]);
  const archive = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 1024));
  let at = 0;
  for (const block of blocks) {
    archive.set(block, at);
    at += block.length;
  }
  return archive;
}

function header(file: TarFile): Uint8Array {
  const { name, bytes, type = "0", link = "", mode = "0000644", mtime = 0 } = file;
  const block = new Uint8Array(512);
  const put = (offset: number, text: string | Uint8Array) =>
    block.set(typeof text === "string" ? new TextEncoder().encode(text) : text, offset);
  const octal = (value: number) => value.toString(8).padStart(11, "0");
  put(0, name);
  put(100, mode);
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(file.size ?? bytes.length));
  put(136, octal(mtime));
  put(148, "        ");
  put(156, type);
  put(157, link);
  put(257, "ustar\x0000");
  const sum = file.checksum ?? block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

function content({ bytes, padding = 0 }: TarFile): Uint8Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / 512) * 512).fill(padding);
  padded.set(bytes);
  return padded;
}
