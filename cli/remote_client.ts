import { ConfigurationError } from "../core/errors.ts";
import { RemoteExecutor } from "../remote/client/remote_executor.ts";

/** Where a server is, of `host:port`. */
export function parseAddress(address: string): { host: string; port: number } {
  const parts = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(address);
  if (parts === null) {
    throw new ConfigurationError(`Cannot use server ${address} as it must be host:port`);
  }
  return { host: (parts[1] ?? parts[2])!, port: Number(parts[3]) };
}

/** A client of a server; its token comes from `REMOTEMEDIA_TOKEN`. */
export function clientOf(address: string, { retry = false } = {}): RemoteExecutor {
  const token = Deno.env.get("REMOTEMEDIA_TOKEN");
  return new RemoteExecutor({
    ...parseAddress(address),
    ...(token && { token }),
    ...(!retry && { retry }),
  });
}
