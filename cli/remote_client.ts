import { ConfigurationError } from "../core/errors.ts";
import { reasonOf } from "./files.ts";
import type { RemoteExecutorOptions } from "../remote/client/options.ts";
import { RemoteExecutor } from "../remote/client/remote_executor.ts";

/** How a server is named, for `--help`. */
export const serverForms =
  "host:port; https:// before it for TLS, http:// for none; by default TLS beyond this machine";

/** Where clients' settings come from, for `--help`. */
export const clientVariables = `From the environment:
  REMOTEMEDIA_TOKEN        the bearer token
  REMOTEMEDIA_CA           PEM file with the authority of servers' certificates
  REMOTEMEDIA_CLIENT_CERT  PEM file with a certificate of one's own, for servers that want one
  REMOTEMEDIA_CLIENT_KEY   PEM file with its key`;

/** Where a server is, and whether it is reached by TLS. */
export interface ServerAddress {
  host: string;
  port: number;
  /** @default as certificates in the environment say, else as the host's place says */
  tls?: boolean;
}

/** Where a server is, of `host:port`, with `https://` or `http://` before it or nothing. */
export function parseAddress(address: string): ServerAddress {
  const parts = /^(?:(https?):\/\/)?(?:\[([^\]/]+)\]|([^:/]+)):(\d+)\/?$/i.exec(address);
  if (parts === null) {
    throw new ConfigurationError(`Cannot use server ${address} as it must be host:port`);
  }
  const [, scheme, bracketed, plain, port] = parts;
  return {
    host: (bracketed ?? plain)!,
    port: Number(port),
    ...(scheme !== undefined && { tls: scheme.toLowerCase() === "https" }),
  };
}

/** A client of a server; its token and certificates come from the environment. */
export function clientOf(address: string, { retry = false } = {}): RemoteExecutor {
  const token = Deno.env.get("REMOTEMEDIA_TOKEN");
  const { tls, ...where } = parseAddress(address);
  return new RemoteExecutor({
    ...where,
    ...tlsOf(tls),
    ...(token && { token }),
    ...(!retry && { retry }),
  });
}

/** How a server is reached. @param tls as a manifest or an address says, if it does */
export function tlsOf(tls: boolean | undefined): { tls?: RemoteExecutorOptions["tls"] } {
  if (tls === false) return { tls };
  const [ca, cert, key] = ["CA", "CLIENT_CERT", "CLIENT_KEY"].map((name) =>
    fileOf(`REMOTEMEDIA_${name}`)
  );
  const given = ca !== undefined || cert !== undefined || key !== undefined;
  if (tls === undefined && !given) return {};
  return {
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    },
  };
}

function fileOf(variable: string): string | undefined {
  const path = Deno.env.get(variable);
  if (!path) return undefined;
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    throw new ConfigurationError(`Cannot read ${path} (${variable}): ${reasonOf(cause)}`, {
      cause,
    });
  }
}
