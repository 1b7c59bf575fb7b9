import type { DescService } from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { sameBytes, toBuffer } from "../wire/raw_message.ts";

/** A service as grpc-js wants it, with messages that stay bytes: handlers read them, and tell what is wrong. */
export function definitionOf(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => {
    const { methodKind } = method;
    return [method.localName, {
      path: `/${service.typeName}/${method.name}`,
      requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
      responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
      requestSerialize: toBuffer,
      requestDeserialize: sameBytes,
      responseSerialize: toBuffer,
      responseDeserialize: sameBytes,
    }];
  }));
}
