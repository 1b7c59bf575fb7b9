import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { Node, type NodeContext } from "../../core/node.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { Sleeper } from "../data/_sleeper.ts";
import {
  type BodyKind,
  bodyKinds,
  encodeBody,
  readBody,
  readErrorBody,
  type SentBody,
} from "./http/body.ts";
import { mayRetry, retryWaitMs } from "./http/retry.ts";

export type { BodyKind };

const schema = z.strictObject({
  url: z.string().refine((url) => isHttp(url), "must be an http or https URL").optional()
    .describe("Where each chunk is sent as body; without it each chunk is a request"),
  method: z.string().regex(/^[A-Z]+$/, "must be a method in capitals such as GET").optional()
    .describe("Method where a request has none; GET, or POST with a body"),
  headers: z.record(z.string(), z.string()).default({}).describe("Headers of all requests"),
  as: z.enum(bodyKinds).default("auto")
    .describe("What the body of a response becomes; auto goes by its content type"),
  timeoutMs: z.int().min(1).max(86_400_000).default(30_000)
    .describe("How long one try may take, its body included, in ms"),
  retries: z.int().min(0).max(20).default(2)
    .describe(
      "Tries after the first one, where another may succeed and the method is safe to repeat",
    ),
  retryDelayMs: z.int().min(0).max(60_000).default(250)
    .describe(
      "Wait before the second try, in ms; doubles with each, unless the server asks for one",
    ),
  maxBytes: z.int().min(1).default(16 * 2 ** 20).describe(
    "The longest body that is read, in bytes",
  ),
  failOnStatus: z.boolean().default(true)
    .describe("Whether a status of 400 or more fails the stream, instead of being a response too"),
});

/** Options of {@linkcode HttpRequest}. */
export interface HttpRequestOptions {
  /** Where each chunk is sent as body. @default each chunk is a request */
  url?: string;
  /** Method where a request has none. @default "GET", or "POST" with a body */
  method?: string;
  /** Headers of all requests. @default {} */
  headers: Record<string, string>;
  /** What the body of a response becomes; `auto` goes by its content type. @default "auto" */
  as: BodyKind;
  /** How long one try may take, its body included, in ms. @default 30000 */
  timeoutMs: number;
  /** Tries after the first one, where another may succeed and the method is safe to repeat. @default 2 */
  retries: number;
  /** Wait before the second try, in ms; doubles with each, unless the server asks for one. @default 250 */
  retryDelayMs: number;
  /** The longest body that is read, in bytes. @default 16 MiB */
  maxBytes: number;
  /** Whether a status of 400 or more fails the stream, instead of being a response too. @default true */
  failOnStatus: boolean;
}

/** A request. */
export interface HttpRequestInit {
  /** Where it goes: an `http` or `https` URL. */
  url: string;
  /** The method. @default the node's option */
  method?: string;
  /** Headers, beside those of the node. */
  headers?: Record<string, string>;
  /** Bytes and text are sent as they are, anything else as JSON. */
  body?: unknown;
}

/** What came back. */
export interface HttpResponse {
  /** Where it came from at last, past redirects. */
  url: string;
  /** The status, 200 for example. */
  status: number;
  /** The headers, by name in small letters. */
  headers: Record<string, string>;
  /** The body: a JSON value, text or bytes. */
  body: unknown;
}

/**
 * Sends HTTP requests. A chunk is a URL or a {@linkcode HttpRequestInit}; with the option `url` any chunk is the
 * body of a request that goes there. Gives a {@linkcode HttpResponse} each, in order; `config.concurrency`
 * is how many run at once.
 *
 * Each try has a time-out; network failures, 408, 425, 429, 502, 503 and 504 are tried again if the method is
 * safe to repeat (429 always), after a jittered wait that doubles, or the one in `Retry-After`. An interrupt
 * ends the requests under way and drops them. Throws an `Error` that names method, URL and what failed, and
 * a `TypeError` on a chunk that is no request. It reaches any host that this process can: a server offers it
 * only where its policy says so.
 *
 * @example
 * ```ts
 * import { HttpRequest } from "@remotemedia/sdk/nodes";
 *
 * const server = Deno.serve({ port: 0, onListen() {} }, () => Response.json({ up: true }));
 * const urls = ReadableStream.from([`http://localhost:${server.addr.port}/health`]);
 * const [response] = await Array.fromAsync(urls.pipeThrough(new HttpRequest({ retries: 0 })));
 * console.log(response!.status, response!.body); // 200 { up: true }
 * await server.shutdown();
 * ```
 */
export class HttpRequest extends Node<unknown, HttpResponse, HttpRequestOptions> {
  /** The name of the type. */
  static override readonly type = "HttpRequest";
  /** Checks the options. */
  static override readonly options: z.ZodType<HttpRequestOptions> = schema;
  /** What it touches: a server offers it only where its policy says so. */
  static override readonly access: readonly string[] = ["net"];
  readonly #sleeper = new Sleeper();
  readonly #running = new Set<AbortController>();

  /** Ends what runs when the stream ends early. */
  override open({ signal }: NodeContext): void {
    signal.addEventListener("abort", () => this.#abortAll(signal.reason));
  }

  /** Gives the response; nothing if an interrupt came first. */
  async process(input: unknown): Promise<HttpResponse | undefined> {
    const request = this.#request(input);
    const controller = new AbortController();
    this.#running.add(controller);
    try {
      return await this.#send(request, controller.signal);
    } catch (error) {
      if (controller.signal.reason === INTERRUPTED) return undefined;
      throw error;
    } finally {
      this.#running.delete(controller);
    }
  }

  /** Ends the requests under way. */
  override onInterrupt(): void {
    this.#abortAll(INTERRUPTED);
  }

  #abortAll(reason: unknown): void {
    for (const controller of this.#running) controller.abort(reason);
    this.#sleeper.wakeAll();
  }

  #request(input: unknown): Required<Pick<HttpRequestInit, "url" | "method">> & HttpRequestInit {
    const { url, method } = this.options;
    if (url !== undefined) {
      return { url, method: method ?? (input === undefined ? "GET" : "POST"), body: input };
    }
    const request = typeof input === "string" ? { url: input } : input as HttpRequestInit | null;
    if (typeof request?.url !== "string") {
      throw wrongInput(this.type, "a URL, or an object with a url", input);
    }
    if (!isHttp(request.url)) {
      throw new TypeError(`HttpRequest takes http and https URLs: it was given "${request.url}"`);
    }
    const fallback = method ?? (request.body === undefined ? "GET" : "POST");
    return { ...request, method: (request.method ?? fallback).toUpperCase() };
  }

  async #send(
    request: Required<Pick<HttpRequestInit, "url" | "method">> & HttpRequestInit,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { retries, retryDelayMs, failOnStatus } = this.options;
    const body = encodeBody(request.body);
    for (let tries = 1;; tries++) {
      let [status, retryAfter]: [number | undefined, string | null] = [undefined, null];
      let failure: unknown;
      try {
        const response = await this.#try(request, body, signal);
        if (response.status < 400) return response;
        status = response.status;
        retryAfter = response.headers["retry-after"] ?? null;
        if (!failOnStatus && (tries > retries || !mayRetry(request.method, status))) {
          return response;
        }
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
      const isFinal = failure instanceof SyntaxError || failure instanceof RangeError;
      if (isFinal || tries > retries || !mayRetry(request.method, status)) {
        const what = status === undefined ? messageOf(failure) : `the status is ${status}`;
        const count = tries === 1 ? "" : ` after ${tries} tries`;
        const message = `Cannot ${request.method} ${request.url}${count} as ${what}`;
        throw new Error(message, { cause: failure });
      }
      await this.#sleeper.sleep(retryWaitMs(tries, { retryDelayMs, retryAfter }));
      signal.throwIfAborted();
    }
  }

  /** One try, with a time-out of its own. */
  async #try(
    request: HttpRequestInit,
    { body, contentType }: SentBody,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { headers, timeoutMs, as, maxBytes, failOnStatus } = this.options;
    const timeout = new AbortController();
    const timer = setTimeout(() => {
      timeout.abort(new Error(`no answer came within ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      const sent = new Headers({ ...headers, ...request.headers });
      if (contentType !== undefined && !sent.has("content-type")) {
        sent.set("content-type", contentType);
      }
      const response = await fetch(request.url, {
        method: request.method!,
        headers: sent,
        body,
        signal: AbortSignal.any([signal, timeout.signal]),
      });
      return {
        url: response.url,
        status: response.status,
        headers: headersOf(response),
        body: response.ok
          ? await readBody(response, { as, maxBytes })
          : await readErrorBody(response, { as: failOnStatus ? "none" : as, maxBytes }),
      };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Why requests that an interrupt voids are aborted. */
const INTERRUPTED = Symbol("interrupted");

/** The headers, those that came several times joined by commas. */
function headersOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries(Array.from(headers.keys(), (name) => [name, headers.get(name)!]));
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
