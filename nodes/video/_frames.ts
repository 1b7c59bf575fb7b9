import { VideoFrame } from "../../core/frames/video_frame.ts";
import { wrongInput } from "../data/_chunk_kind.ts";

/**
 * The chunk, if it is a picture.
 *
 * @throws {TypeError} if it is not, with the node's type and both kinds
 */
export function requireVideo(node: { readonly type: string }, chunk: unknown): VideoFrame {
  if (chunk instanceof VideoFrame) return chunk;
  throw wrongInput(node.type, "a video frame", chunk);
}
