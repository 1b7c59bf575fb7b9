import { Buffer } from "node:buffer";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { ConfigurationError } from "../../core/errors.ts";
import { limitConnections, widenWindows } from "./http2_servers.ts";

/** Certificates of a server, each as the text of a PEM file. */
export interface ServerTls {
  /** Its certificate, with the chain. */
  cert: string;
  /** Its key. */
  key: string;
  /** Who signs the certificates of clients: those without one are refused. */
  clientCa?: string;
}

/** Where a server listens, and how it is kept from strangers. */
export interface BindOptions {
  host: string;
  port: number;
  tls: ServerTls | undefined;
  /** Whether callers are told apart by tokens. */
  hasTokens: boolean;
  /** Listens beyond this machine without either. */
  insecure: boolean;
}

/**
 * Starts to listen, and gives the port.
 *
 * @throws {ConfigurationError} if the port cannot be had, or strangers could call
 */
export async function bind(
  server: Server,
  options: BindOptions & { maxConnections: number },
): Promise<number> {
  const { host, port, tls, maxConnections } = options;
  assertGuarded(options);
  const target = addressOf(host, port);
  const credentials = credentialsOf(tls);
  return await new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (cause, bound) => {
      if (cause === null) {
        limitConnections(server, maxConnections);
        widenWindows(server);
        return resolve(bound);
      }
      const message = `Cannot listen on ${target}: ${cause.message}`;
      reject(new ConfigurationError(message, { cause }));
    });
  });
}

/** @throws {ConfigurationError} if strangers could call */
export function assertGuarded({ host, tls, hasTokens, insecure }: BindOptions): void {
  const authenticates = hasTokens || tls?.clientCa !== undefined;
  if (isLocal(host) || authenticates || insecure) return;
  throw new ConfigurationError(
    `Cannot listen on ${host} as it can be reached from elsewhere and nothing tells callers apart: ` +
      "give tokens or a client CA, or say insecure",
  );
}

/** How connections are secured. */
export function credentialsOf(tls: ServerTls | undefined): ServerCredentials {
  return tls === undefined ? ServerCredentials.createInsecure() : secured(tls);
}

/** `host:port`, or the socket's path. */
export function addressOf(host: string, port: number): string {
  return host.startsWith("unix:") ? host : `${bracketed(host)}:${port}`;
}

/** Where health and metrics are told: beside a Unix socket, to this machine only. */
export function httpHost(host: string): string {
  return host.startsWith("unix:") ? "127.0.0.1" : host;
}

/** An address as it stands in front of a port. */
function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("unix:") ||
    /^127(\.\d+){3}$/.test(host);
}

function secured({ cert, key, clientCa }: ServerTls): ServerCredentials {
  return ServerCredentials.createSsl(
    // without any, grpc-js names all well-known authorities, more than fit into a TLS handshake in Deno
    Buffer.from(clientCa ?? cert),
    [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
    clientCa !== undefined,
  );
}
