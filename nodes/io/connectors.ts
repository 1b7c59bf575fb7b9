/**
 * Nodes that join a stream to user code, programs and the network.
 *
 * @module
 */

import type { NodeClass } from "../../core/node.ts";
import { Command } from "./command.ts";
import { DataSink } from "./data_sink.ts";
import { DataSource } from "./data_source.ts";
import { HttpRequest } from "./http_request.ts";
import { WebSocketSink } from "./web_socket_sink.ts";
import { WebSocketSource } from "./web_socket_source.ts";

export * from "./command.ts";
export * from "./data_sink.ts";
export * from "./data_source.ts";
export * from "./http_request.ts";
export * from "./web_socket_sink.ts";
export * from "./web_socket_source.ts";

/** All nodes that join a stream to user code, programs and the network. */
export const connectorNodes: readonly NodeClass[] = [
  DataSource,
  DataSink,
  HttpRequest,
  WebSocketSource,
  WebSocketSink,
  Command,
];
