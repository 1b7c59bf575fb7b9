type Grpc = typeof import("@grpc/grpc-js");

let loaded: Grpc | undefined;

/**
 * Loads gRPC's library. It reads variables of the environment at once, so it is not imported before something
 * is called: whoever imports the SDK for local pipelines needs no permission.
 */
export async function loadGrpc(): Promise<Grpc> {
  return loaded ??= await import("@grpc/grpc-js");
}

/** gRPC's library. @throws {Error} if nobody loaded it, which is a fault of this code */
export function grpc(): Grpc {
  if (loaded === undefined) throw new Error("Cannot call as gRPC is not loaded");
  return loaded;
}
