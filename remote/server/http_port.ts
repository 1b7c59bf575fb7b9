import { ConfigurationError, messageOf } from "../../core/errors.ts";
import type { Metrics } from "./metrics.ts";

/** What the HTTP port tells. */
export interface HttpPortOptions {
  host: string;
  port: number;
  metrics: Pick<Metrics, "contentType" | "text">;
  /** Whether new sessions are taken. */
  isReady: () => boolean;
}

/**
 * Serves `/healthz` (the process lives), `/readyz` (it takes sessions) and `/metrics`.
 *
 * @throws {ConfigurationError} if the port cannot be had
 */
export function startHttpPort(options: HttpPortOptions): Deno.HttpServer<Deno.NetAddr> {
  try {
    return serveHttp(options);
  } catch (cause) {
    const { host, port } = options;
    const message = `Cannot tell health and metrics on ${host}:${port}: ${messageOf(cause)}`;
    throw new ConfigurationError(message, { cause });
  }
}

function serveHttp(
  { host, port, metrics, isReady }: HttpPortOptions,
): Deno.HttpServer<Deno.NetAddr> {
  const plain = (text: string, status: number) => new Response(`${text}\n`, { status });
  return Deno.serve({ hostname: host, port, onListen() {} }, async ({ url, method }) => {
    if (method !== "GET" && method !== "HEAD") return plain("only GET", 405);
    switch (new URL(url).pathname) {
      case "/healthz":
        return plain("alive", 200);
      case "/readyz":
        return isReady() ? plain("ready", 200) : plain("draining", 503);
      case "/metrics":
        return new Response(await metrics.text(), {
          headers: { "content-type": metrics.contentType },
        });
      default:
        return plain("not found", 404);
    }
  });
}
