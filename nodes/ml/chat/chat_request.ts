import { messageOf } from "../../../core/errors.ts";
import { Sleeper } from "../../data/_sleeper.ts";
import { retryWaitMs } from "../../io/http/retry.ts";
import { type ChatReply, textOf, wordsOf } from "./chat_reply.ts";

/** Where a request goes, and how long it may take. */
export interface ChatEndpoint {
  /** The address of `…/chat/completions`. */
  url: string;
  /** The bearer token, where there is one. */
  apiKey: string | undefined;
  /** Further headers. */
  headers: Record<string, string>;
  /** How long the first piece, and each after it, may take, in ms. */
  timeoutMs: number;
  /** Tries after the first one. */
  retries: number;
  /** Wait before the second try, in ms. */
  retryDelayMs: number;
}

/** Statuses after which another try may succeed: nothing of a reply has come yet. */
const passing = new Set([408, 409, 425, 429, 500, 502, 503, 504]);

/** The longest body of an error that is read, in bytes. */
const MAX_FAULT = 2 ** 20;

/** Sends requests, one at a time. */
export class ChatClient {
  readonly #endpoint: ChatEndpoint;
  readonly #sleeper = new Sleeper();

  /** @param endpoint where they go */
  constructor(endpoint: ChatEndpoint) {
    this.#endpoint = endpoint;
  }

  /**
   * Gives the text of a reply piece by piece. Tries again until a reply begins, never after that.
   *
   * @throws {Error} with the server's own words
   */
  async *ask(body: object, reply: ChatReply, signal: AbortSignal): AsyncGenerator<string, void> {
    const { url, timeoutMs } = this.#endpoint;
    const controller = new AbortController();
    const abort = () => {
      controller.abort(signal.reason);
      this.#sleeper.wakeAll();
    };
    signal.throwIfAborted();
    signal.addEventListener("abort", abort, { once: true });
    const wait = new Watch(timeoutMs, (reason) => controller.abort(reason));
    try {
      const response = await this.#begin(JSON.stringify(body), controller.signal, wait);
      wait.start();
      for await (const piece of reply.read(response)) {
        wait.stop();
        if (piece !== "") yield piece;
        wait.start();
      }
    } catch (error) {
      signal.throwIfAborted();
      const { reason } = controller.signal;
      const message = messageOf(reason ?? error);
      throw new Error(`Cannot get a reply from ${url}: ${message}`, { cause: reason ?? error });
    } finally {
      wait.stop();
      signal.removeEventListener("abort", abort);
      controller.abort(); // whoever stops reading ends the request
    }
  }

  /** Sends the request until the server takes it. */
  async #begin(body: string, signal: AbortSignal, wait: Watch): Promise<Response> {
    const { url, apiKey, headers, retries, retryDelayMs } = this.#endpoint;
    const authorization: HeadersInit = apiKey === undefined
      ? {}
      : { authorization: `Bearer ${apiKey}` };
    const sent = { "content-type": "application/json", ...authorization, ...headers };
    for (let tries = 1;; tries++) {
      let retryAfter: string | null = null;
      let failure: Error;
      wait.start();
      try {
        const response = await fetch(url, { method: "POST", headers: sent, body, signal });
        if (response.ok) return response;
        retryAfter = response.headers.get("retry-after");
        const { status } = response;
        failure = new Error(`${wordsOf(await textOf(response, MAX_FAULT))} (status ${status})`);
        if (!passing.has(status)) throw failure;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof TypeError)) throw error; // fetch has it for a connection that fails
        failure = error;
      } finally {
        wait.stop();
      }
      if (tries > retries) {
        const count = tries === 1 ? "" : `after ${tries} tries, `;
        throw new Error(count + failure.message, { cause: failure });
      }
      await this.#sleeper.sleep(retryWaitMs(tries, { retryDelayMs, retryAfter }));
      signal.throwIfAborted();
    }
  }
}

/** Ends a wait that takes too long. */
class Watch {
  readonly #timeoutMs: number;
  readonly #onLate: (reason: Error) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number, onLate: (reason: Error) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onLate = onLate;
  }

  start(): void {
    this.stop();
    const late = () => this.#onLate(new Error(`nothing came for ${this.#timeoutMs} ms`));
    this.#timer = setTimeout(late, this.#timeoutMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
