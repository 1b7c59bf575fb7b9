import { Buffer } from "node:buffer";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { ConfigurationError, messageOf } from "../../core/errors.ts";
import { limitConnections, widenWindows } from "./http2_servers.ts";
import { removeStaleSocket } from "./unix_socket.ts";

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
  await removeStaleSocket(host);
  const target = addressOf(host, port);
  const credentials = credentialsOf(tls);
  return await new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (cause, bound) => {
      if (cause === null) {
        limitConnections(server, maxConnections);
        widenWindows(server);
        return resolve(bound);
      }
      const message = `Cannot listen on ${target}: ${whyNot(cause)}`;
      reject(new ConfigurationError(message, { cause }));
    });
  });
}

/** Why a port cannot be had, in plain words where they are known. */
export function whyNot({ message }: Error): string {
  if (/EADDRINUSE/.test(message)) return "it is in use by another program";
  if (/EACCES|EPERM/.test(message)) return "this user may not, ports below 1024 need a right";
  if (/EADDRNOTAVAIL/.test(message)) return "this machine has no such address";
  return message;
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

/**
 * How connections are secured.
 *
 * @throws {ConfigurationError} if the certificate or the key is none, or they are not of one another: Deno itself would
 * listen, and fail each connection
 */
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
  const certificate = parsed("certificate", () => new X509Certificate(cert));
  const privateKey = parsed("key", () => createPrivateKey(key));
  if (clientCa !== undefined) parsed("client CA", () => new X509Certificate(clientCa));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigurationError("Cannot serve TLS as the key is not that of the certificate");
  }
  return ServerCredentials.createSsl(
    // without any, grpc-js names all well-known authorities, more than fit into a TLS handshake in Deno
    Buffer.from(clientCa ?? cert),
    [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
    clientCa !== undefined,
  );
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new ConfigurationError(`Cannot serve TLS as the ${what} is none: ${messageOf(cause)}`, {
      cause,
    });
  }
}
