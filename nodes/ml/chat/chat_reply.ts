import type { TokenUsage, ToolCall } from "./chat_message.ts";
import { serverSentEvents } from "./server_sent_events.ts";

/** The longest event, in characters. */
const MAX_EVENT = 2 ** 20;

/** A reply as it comes in. */
export class ChatReply {
  /** The text so far. */
  text = "";
  /** Why the model stopped; `undefined` as long as it has not. */
  finishReason: string | undefined;
  /** What it took, where the server tells. */
  usage: TokenUsage | undefined;
  readonly #calls: ToolCall[] = [];

  /** The tools that the model asks for, put together of their pieces. */
  get toolCalls(): ToolCall[] {
    return this.#calls.filter((call) => call !== undefined);
  }

  /**
   * Gives the text piece by piece.
   *
   * @throws {Error} with the server's own words, if it sends an error, no JSON, or ends too early
   */
  async *read(response: Response): AsyncGenerator<string, void> {
    if (!/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
      const text = this.#take(await response.text()); // a server that does not stream
      if (text !== "") yield text;
      return;
    }
    for await (const { event, data } of serverSentEvents(response.body!, MAX_EVENT)) {
      if (data === "[DONE]") break;
      if (event === "error") throw new Error(wordsOf(data));
      const text = this.#take(data);
      if (text !== "") yield text;
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
    for (const [at, piece] of (tool_calls ?? []).entries()) this.#addCall(piece, piece.index ?? at);
    if (choice.finish_reason != null) this.finishReason = choice.finish_reason;
    this.text += content ?? "";
    return content ?? "";
  }

  #addCall({ id, function: { name = "", arguments: args = "" } = {} }: WireCall, at: number): void {
    if (!Number.isInteger(at) || at < 0 || at >= 128) {
      throw new Error(`the server asks for tool call ${at}, and 128 are the most`);
    }
    const call = this.#calls[at] ??= { id: "", name: "", arguments: "" };
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

/** What an event holds, with the protocol's names. */
interface WireChunk {
  error?: unknown;
  usage?: { prompt_tokens?: number; completion_tokens?: number } | null;
  choices?: {
    delta?: { content?: string | null; tool_calls?: WireCall[] };
    message?: { content?: string | null; tool_calls?: WireCall[] };
    finish_reason?: string | null;
  }[];
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
