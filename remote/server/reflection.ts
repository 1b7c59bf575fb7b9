import { Buffer } from "node:buffer";
import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";

type Definitions = ConstructorParameters<typeof ReflectionService>[0];

/** Adds `grpc.reflection`, so that tools like grpcurl know the services without their proto files. */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Set<DescFile>();
  for (const { file } of services) collect(file, files);
  const fileDescriptorProtos = [...files].map(({ proto }) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, proto))
  );
  const definitions = { remotemedia: { fileDescriptorProtos } } as unknown as Definitions;
  new ReflectionService(definitions).addToServer(server);
}

function collect(file: DescFile, files: Set<DescFile>): void {
  if (files.has(file)) return;
  for (const dependency of file.dependencies) collect(dependency, files);
  files.add(file);
}
