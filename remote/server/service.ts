import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { ExecutionService } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { definitionOf } from "./definition.ts";
import { executeHandler } from "./execute_handler.ts";
import { getStatusHandler } from "./get_status_handler.ts";
import { listNodesHandler } from "./list_nodes_handler.ts";
import { reserveHandler } from "./reserve_handler.ts";
import { handleStream } from "./stream_handler.ts";
import type { ServerState } from "./server_state.ts";
import type { StreamCall } from "./call.ts";

/** The RPCs of `ExecutionService`, for grpc-js: messages stay bytes. */
export const executionService: ServiceDefinition = definitionOf(ExecutionService);

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
