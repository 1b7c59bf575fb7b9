import { z } from "zod";

/** What both ends of a WebSocket need to connect. */
export interface WebSocketConnectOptions {
  /** Subprotocols that are offered. @default [] */
  protocols: string[];
  /** Headers of the request that opens the socket. @default {} */
  headers: Record<string, string>;
  /** How long connecting, and closing, may take, in ms. @default 10000 */
  timeoutMs: number;
  /** How often a connection that fails or breaks is made again. @default 0 */
  reconnects: number;
  /** Wait before connecting again, in ms. @default 500 */
  reconnectDelayMs: number;
}

/** The fields of {@linkcode WebSocketConnectOptions}. */
export const connectFields = {
  protocols: z.array(z.string().min(1)).default([]).describe("Subprotocols that are offered"),
  headers: z.record(z.string(), z.string()).default({})
    .describe("Headers of the request that opens the socket"),
  timeoutMs: z.int().min(1).max(600_000).default(10_000)
    .describe("How long connecting, and closing, may take, in ms"),
  reconnects: z.int().min(0).max(1000).default(0)
    .describe("How often a connection that fails or breaks is made again"),
  reconnectDelayMs: z.int().min(0).max(600_000).default(500)
    .describe("Wait before connecting again, in ms"),
} as const;

/** Whether a text is the URL of a WebSocket. */
export function isWebSocketUrl(url: unknown): url is string {
  return typeof url === "string" && URL.canParse(url) && /^wss?:$/.test(new URL(url).protocol);
}
