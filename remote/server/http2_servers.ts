import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import { FLOW_CONTROL_WINDOW } from "../wire/flow_control.ts";

/** Node's servers inside of a gRPC server: they can do what grpc-js has no option for. */
function http2ServersOf(server: Server): Iterable<Http2Server> {
  const { http2Servers } = server as unknown as { http2Servers: Map<Http2Server, unknown> };
  return http2Servers.keys();
}

/** Refuses connections beyond a number, where a server listens. */
export function limitConnections(server: Server, max: number): void {
  for (const listener of http2ServersOf(server)) listener.maxConnections = max;
}

/** Lets clients send more before they are told to go on, in the connections to come. */
export function widenWindows(server: Server): void {
  const widen = (session: ServerHttp2Session) => {
    session.settings({ initialWindowSize: FLOW_CONTROL_WINDOW });
    session.setLocalWindowSize(FLOW_CONTROL_WINDOW);
  };
  for (const listener of http2ServersOf(server)) listener.on("session", widen);
}
