/**
 * The nodes that come with the library, and {@linkcode builtinNodes}, the list of them.
 *
 * @module
 */

export * from "./audio/audio_buffer.ts";
export * from "./audio/audio_transform.ts";
export * from "./audio/native_nodes.ts";
export * from "./code/mod.ts";
export * from "./data/mod.ts";
export * from "./data/pass_through.ts";
export * from "./io/connectors.ts";
export * from "./io/mod.ts";
export * from "./ml/mod.ts";
export * from "./text/mod.ts";
export * from "./video/mod.ts";

import type { NodeClass } from "../core/node.ts";
import { AudioBuffer } from "./audio/audio_buffer.ts";
import { AudioTransform } from "./audio/audio_transform.ts";
import { nativeAudioNodes } from "./audio/native_nodes.ts";
import { CodeExecutorNode, SerializedClassExecutorNode } from "./code/mod.ts";
import { dataNodes, flowNodes } from "./data/mod.ts";
import { PassThrough } from "./data/pass_through.ts";
import { mlNodes } from "./ml/mod.ts";
import { connectorNodes } from "./io/connectors.ts";
import { MediaReader } from "./io/media_reader.ts";
import { MediaWriter } from "./io/media_writer.ts";
import { textNodes } from "./text/mod.ts";
import { videoNodes } from "./video/mod.ts";

/** All node types that come with the library, for a registry: a server, a manifest, a command line. */
export const builtinNodes: readonly NodeClass[] = [
  AudioBuffer,
  AudioTransform,
  PassThrough,
  CodeExecutorNode,
  SerializedClassExecutorNode,
  ...nativeAudioNodes,
  ...textNodes,
  ...dataNodes,
  ...flowNodes,
  ...connectorNodes,
  MediaReader,
  MediaWriter,
  ...videoNodes,
  ...mlNodes,
];
