import { Metadata } from "@grpc/grpc-js";
import { type CallStatus, statusOf } from "../wire/errors.ts";

/** What a call fails with, as grpc-js takes it. */
export function failedCall(error: unknown): CallStatus & { metadata: Metadata } {
  const told = statusOf(error);
  const metadata = new Metadata();
  for (const [key, value] of told.trailers) metadata.set(key, value);
  return { ...told, metadata };
}
