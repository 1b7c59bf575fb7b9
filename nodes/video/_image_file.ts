import { MediaError } from "../../core/errors.ts";

/** How files begin, and ffmpeg's word for them. */
const kinds: readonly (readonly [format: string, at: number, start: readonly number[]])[] = [
  ["png_pipe", 0, [0x89, 0x50, 0x4e, 0x47]],
  ["jpeg_pipe", 0, [0xff, 0xd8, 0xff]],
  ["webp_pipe", 8, [0x57, 0x45, 0x42, 0x50]],
];

/**
 * Writes a picture to a temporary file, where a graph can read it.
 *
 * @param base64 a PNG, JPEG or WebP file
 * @throws {MediaError} if it is none of these
 */
export async function writeImage(
  base64: string,
  node: string,
): Promise<{ path: string; format: string }> {
  const bytes = Uint8Array.fromBase64(base64);
  const kind = kinds.find(([, at, start]) =>
    start.every((byte, index) => bytes[at + index] === byte)
  );
  if (kind === undefined) {
    throw new MediaError(`Cannot draw the image of ${node} as it is no PNG, JPEG or WebP file`);
  }
  const path = await Deno.makeTempFile({ prefix: "remotemedia-image-" });
  try {
    await Deno.writeFile(path, bytes);
  } catch (error) {
    await Deno.remove(path);
    throw error;
  }
  return { path, format: kind[0] };
}
