import { readAll } from "../../io/http/body.ts";
import type { TokenUsage, ToolCall } from "./chat_message.ts";
import { serverSentEvents } from "./server_sent_events.ts";

/** The longest event, in characters. */
const MAX_EVENT = 2 ** 20;

/** The longest reply of a server that does not stream, in bytes. */
const MAX_REPLY = 2 ** 24;

/** The most tools that one reply may ask for. */
const MAX_CALLS = 128;

/** A reply as it comes in. */
export class ChatReply {
  /** The text so far. */
  text = "";
  /** Why the model stopped; `undefined` as long as it has not. */
  finishReason: string | undefined;
  /** What it took, where the server tells. */
  usage: TokenUsage | undefined;
  /** In the order of their first pieces. */
  readonly #calls: ToolCall[] = [];
  /** The call that pieces of each of the server's numbers belong to. */
  readonly #places: number[] = [];

  /** The tools that the model asks for, put together of their pieces. */
  get toolCalls(): ToolCall[] {
    return [...this.#calls];
  }

  /**
   * Gives the text piece by piece; an empty one for an event without.
   *
   * @throws {Error} with the server's own words, if it sends an error, no JSON, or ends too early
   */
  async *read(response: Response): AsyncGenerator<string, void> {
    if (!/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
      return yield this.#take(await textOf(response, MAX_REPLY)); // a server that does not stream
    }
    for await (const { event, data } of serverSentEvents(response.body!, MAX_EVENT)) {
      if (data === "[DONE]") break;
      if (event === "error") throw new Error(wordsOf(data));
      yield this.#take(data);
    }
    if (this.finishReason === undefined) {
      throw new Error("the stream ended before the reply was complete");
    }
  }

  /** Takes one event. @returns its text */
  #take(data: string): string {
    let chunk: WireChunk;
    try {
      chunk = JSON.parse(data);
    } catch (cause) {
      throw new Error(`what the server sent is no JSON: ${data.slice(0, 200)}`, { cause });
    }
    if (chunk.error != null) throw new Error(wordsOf(data));
    if (chunk.usage != null) {
      const { prompt_tokens = 0, completion_tokens = 0 } = chunk.usage;
      this.usage = { promptTokens: prompt_tokens, completionTokens: completion_tokens };
    }
    const choice = chunk.choices?.[0];
    if (choice === undefined) return "";
    const { content, tool_calls = [] } = choice.delta ?? choice.message ?? {};
    const text = textIn(content);
    for (const [at, piece] of (tool_calls ?? []).entries()) this.#addCall(piece, piece.index ?? at);
    if (choice.finish_reason != null) this.finishReason = choice.finish_reason;
    this.text += text;
    return text;
  }

  #addCall({ id, function: { name = "", arguments: args = "" } = {} }: WireCall, at: number): void {
    if (!Number.isInteger(at) || at < 0 || at >= MAX_CALLS || this.#calls.length >= MAX_CALLS) {
      const count = Math.max(at, this.#calls.length);
      throw new Error(`the server asks for tool call ${count}, and ${MAX_CALLS} are the most`);
    }
    const before = this.#calls[this.#places[at] ?? -1];
    // some servers count all calls as the first, or none: another id is another call
    if (before === undefined || (id && before.id && id !== before.id)) {
      this.#places[at] = this.#calls.length;
      this.#calls.push({ id: "", name: "", arguments: "" });
    }
    const call = this.#calls[this.#places[at]!]!;
    if (id) call.id = id;
    if (name !== null) call.name += name;
    call.arguments += args ?? "";
  }
}

/** A piece of a call, with the protocol's names. */
interface WireCall {
  index?: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}

/** Text, or parts of which some are text. */
type WireContent = string | null | { type?: string; text?: string }[];

/** What an event holds, with the protocol's names. */
interface WireChunk {
  error?: unknown;
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null;
  choices?: {
    delta?: { content?: WireContent; tool_calls?: WireCall[] };
    message?: { content?: WireContent; tool_calls?: WireCall[] };
    finish_reason?: string | null;
  }[];
}

function textIn(content: WireContent | undefined): string {
  if (!Array.isArray(content)) return content ?? "";
  return content.map(({ type, text }) => type === "text" ? text ?? "" : "").join("");
}

/** The body as text. @throws {RangeError} if it is longer than `maxBytes` */
export async function textOf(response: Response, maxBytes: number): Promise<string> {
  return new TextDecoder().decode(await readAll(response.body ?? new Blob().stream(), maxBytes));
}

/** What a server says in an error: `{ error: { message } }`, or as it stands. */
export function wordsOf(body: string): string {
  let message: unknown = body;
  try {
    const { error, message: own } = JSON.parse(body);
    message = error?.message ?? error ?? own ?? body;
  } catch {
    // not JSON: it is told as it is
  }
  const words = typeof message === "string" ? message : JSON.stringify(message);
  return words.trim().slice(0, 1000) || "nothing";
}
