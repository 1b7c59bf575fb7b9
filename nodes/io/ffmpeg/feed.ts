import type { ByteInput } from "../_byte_input.ts";
import type { ToolProcess } from "./tool.ts";

/** Gives a tool all of an input, as fast as it takes it, and no more than it wants. */
export async function feed(input: ByteInput, tool: ToolProcess): Promise<void> {
  const writer = tool.stdin.getWriter();
  try {
    while (true) {
      const piece = await input.read();
      if (piece === undefined) break;
      try {
        await writer.write(piece as Uint8Array<ArrayBuffer>);
      } catch {
        break; // it has enough or has failed: its end tells which
      }
    }
  } finally {
    await writer.close().catch(() => {}); // broken, as above
  }
}
