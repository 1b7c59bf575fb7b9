import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { ExecutionService } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { executeHandler } from "./execute_handler.ts";
import { getStatusHandler } from "./get_status_handler.ts";
import { listNodesHandler } from "./list_nodes_handler.ts";
import { reserveHandler } from "./reserve_handler.ts";
import { handleStream } from "./stream_handler.ts";
import type { ServerState } from "./server_state.ts";
import type { StreamCall } from "./call.ts";

const bytes = (message: Uint8Array): Buffer =>
  Buffer.from(message.buffer, message.byteOffset, message.byteLength);
const same = (message: Buffer): Uint8Array => message;

/** The RPCs of `ExecutionService`, for grpc-js: messages stay bytes. */
export const executionService: ServiceDefinition = Object.fromEntries(
  ExecutionService.methods.map((method) => {
    const streams = method.methodKind === "bidi_streaming";
    return [method.localName, {
      path: `/${ExecutionService.typeName}/${method.name}`,
      requestStream: streams,
      responseStream: streams,
      requestSerialize: bytes,
      requestDeserialize: same,
      responseSerialize: bytes,
      responseDeserialize: same,
    }];
  }),
);

/** One handler an RPC. */
export function executionHandlers(server: ServerState): UntypedServiceImplementation {
  return {
    execute: executeHandler(server),
    listNodes: listNodesHandler(server),
    getStatus: getStatusHandler(server),
    reserve: reserveHandler(server),
    stream: (call: StreamCall) => handleStream(call, server),
  };
}
