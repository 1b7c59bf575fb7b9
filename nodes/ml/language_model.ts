import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import { Marker } from "../../core/frames/marker.ts";
import { Node, type NodeConfig, type NodeContext } from "../../core/node.ts";
import type { OptionsSchema } from "../../core/options.ts";
import { wrongInput } from "../data/_chunk_kind.ts";
import { SentenceAggregator } from "../text/sentence_aggregator.ts";
import { ChatHistory } from "./chat/chat_history.ts";
import { type ChatMessage, type TokenUsage, type ToolCall, toWire } from "./chat/chat_message.ts";
import { ChatReply } from "./chat/chat_reply.ts";
import { ChatClient } from "./chat/chat_request.ts";
import { ChatTools, type Tool } from "./chat/chat_tools.ts";

export type { ChatMessage, TokenUsage, Tool, ToolCall };

const toolSchema = z.strictObject({
  name: z.string().regex(/^[\w-]{1,64}$/).describe("Letters, digits, _ and -"),
  description: z.string().optional().describe("What it does and when to use it"),
  parameters: z.record(z.string(), z.unknown()).optional()
    .describe("JSON Schema of its arguments, an object"),
  run: z.unknown().refine((run) => typeof run === "function", { error: "must be a function" })
    .describe("The function; it cannot leave this process"),
});

const schema = z.strictObject({
  baseUrl: z.string().refine((url) => /^https?:\/\//.test(url) && URL.canParse(url), {
    error: "must be an http or https URL",
  }).describe("Where the service is, up to what stands before /chat/completions")
    .meta({ examples: ["http://localhost:11434/v1"] }),
  model: z.string().min(1).describe("The model's name, as the service has it")
    .meta({ examples: ["llama3.2"] }),
  apiKey: z.string().min(1).optional().describe(
    "The key: ${NAME} takes it from the environment of where the node runs; one written out stays in this process",
  ),
  headers: z.record(z.string(), z.string()).default({}).describe("Further headers of all requests"),
  system: z.string().optional().describe("What the model is told before all else"),
  tools: z.array(toolSchema).max(128).default([]).describe("Functions that the model may call"),
  maxToolRounds: z.int().min(1).max(100).default(8)
    .describe("How often in one reply the model may ask for tools"),
  toolTimeoutMs: z.int().min(1).max(86_400_000).default(30_000)
    .describe("How long a tool may take, in ms"),
  emit: z.enum(["tokens", "sentences", "messages"]).default("tokens")
    .describe("What to give: text as it comes, whole sentences, or each reply as a message"),
  usage: z.boolean().default(false)
    .describe('Whether a marker "usage" follows each reply, with the tokens that it took'),
  maxMessages: z.int().min(1).max(100_000).default(100)
    .describe("The most messages of the conversation that are kept"),
  maxCharacters: z.int().min(1).max(100_000_000).default(100_000)
    .describe("The most characters of the conversation that are kept"),
  temperature: z.number().min(0).max(2).optional().describe("How free the model is, 0 to 2"),
  maxTokens: z.int().min(1).optional().describe("The most tokens of a reply"),
  parameters: z.record(z.string(), z.unknown()).default({})
    .describe("Further fields of the request, as the service has them"),
  timeoutMs: z.int().min(1).max(86_400_000).default(60_000)
    .describe("How long the first piece of a reply, and each after it, may take, in ms"),
  retries: z.int().min(0).max(20).default(2)
    .describe("Tries after the first one, as long as no reply has begun"),
  retryDelayMs: z.int().min(0).max(60_000).default(500).describe(
    "Wait before the second try, in ms; doubles with each, unless the server asks for one",
  ),
});

/** Options of {@linkcode LanguageModel}. */
export interface LanguageModelOptions {
  /** Where the service is, up to what stands before `/chat/completions`. */
  baseUrl: string;
  /** The model's name, as the service has it. */
  model: string;
  /** The key, or `${NAME}`: the environment variable with it, where the node runs. @default none is sent */
  apiKey?: string;
  /** Further headers of all requests. @default {} */
  headers: Record<string, string>;
  /** What the model is told before all else. @default nothing */
  system?: string;
  /** Functions that the model may call. @default [] */
  tools: Tool[];
  /** How often in one reply the model may ask for tools. @default 8 */
  maxToolRounds: number;
  /** How long a tool may take, in ms. @default 30000 */
  toolTimeoutMs: number;
  /** What to give. @default "tokens" */
  emit: "tokens" | "sentences" | "messages";
  /** Whether a marker `usage` follows each reply, with a {@linkcode TokenUsage}. @default false */
  usage: boolean;
  /** The most messages of the conversation that are kept. @default 100 */
  maxMessages: number;
  /** The most characters of the conversation that are kept. @default 100000 */
  maxCharacters: number;
  /** How free the model is, 0 to 2. @default the service's */
  temperature?: number;
  /** The most tokens of a reply. @default the service's */
  maxTokens?: number;
  /** Further fields of the request, as the service has them. @default {} */
  parameters: Record<string, unknown>;
  /** How long the first piece of a reply, and each after it, may take, in ms. @default 60000 */
  timeoutMs: number;
  /** Tries after the first one, as long as no reply has begun. @default 2 */
  retries: number;
  /** Wait before the second try, in ms; doubles with each, unless the server asks for one. @default 500 */
  retryDelayMs: number;
}

/** {@linkcode LanguageModelOptions} as one writes them. */
export type LanguageModelInput =
  & Partial<LanguageModelOptions>
  & Pick<LanguageModelOptions, "baseUrl" | "model">;

/**
 * Talks with a language model behind any service that speaks OpenAI's chat completions, streamed. A chunk is what
 * the user says: a text, an object with a `text` (one with `final: false` is passed over), or a
 * {@linkcode ChatMessage}. It gives the reply as it comes, as sentences, or as one message.
 *
 * The conversation is the node's own, so one a session. It is bounded by `maxMessages` and `maxCharacters`: the
 * oldest turns go first, the last one stays. Tools are called with arguments that fit their schema, those of one
 * round side by side; what they give or throw is fed back, for at most `maxToolRounds` rounds, after which the
 * model is asked to do without. They are functions, so a node with tools runs in this process, or inside a node
 * of your own elsewhere.
 *
 * An interrupt ends the request at once, so that the server sees it; what had come stays in the conversation,
 * marked `cutOff`. 408, 409, 425, 429 and 500 to 504, and connections that fail, are tried again after the wait
 * in `Retry-After`, or one that doubles, but never once a reply has begun. Throws an `Error` with the server's
 * own words, and a `TypeError` on a chunk of another kind. The key is never part of the node's data, logs or
 * errors. It reaches the network: a server offers it only where its policy says so.
 *
 * @example
 * ```ts
 * import { LanguageModel } from "@remotemedia/sdk/nodes";
 *
 * // any service will do; this one says hello in two pieces
 * const pieces = ["Hel", "lo!"].map((content) => ({ choices: [{ delta: { content } }] }));
 * const events = [...pieces, { choices: [{ delta: {}, finish_reason: "stop" }] }];
 * const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("") + "data: [DONE]\n\n";
 * const headers = { "content-type": "text/event-stream" };
 * const server = Deno.serve({ port: 0, onListen() {} }, () => new Response(body, { headers }));
 *
 * const baseUrl = `http://localhost:${server.addr.port}/v1`;
 * const model = new LanguageModel({ baseUrl, model: "small", system: "Be brief." });
 * const reply = await Array.fromAsync(ReadableStream.from(["Hi"]).pipeThrough(model));
 * console.log(reply); // ["Hel", "lo!"]
 * await server.shutdown();
 * ```
 */
export class LanguageModel
  extends Node<unknown, string | ChatMessage | Marker, LanguageModelOptions, LanguageModelInput> {
  /** The name of the type. */
  static override readonly type = "LanguageModel";
  /** Checks the options. */
  static override readonly options: OptionsSchema = schema;
  /** It reaches the service: see `NodeClass.access`. */
  static override readonly access: readonly string[] = ["net"];
  readonly #history: ChatHistory = new ChatHistory(this.options);
  readonly #tools: ChatTools = new ChatTools(this.options.tools, this.options.toolTimeoutMs);
  readonly #sentences = new SentenceAggregator();
  readonly #apiKey: string | undefined;
  #client: ChatClient | undefined;
  #running: AbortController | undefined;

  /**
   * Checks the options; nothing is sent yet.
   *
   * @param options the service and how to talk; a key that is written out is kept out of the node's data
   * @param config what is the same for all nodes
   */
  constructor(options: LanguageModelInput = {} as LanguageModelInput, config: NodeConfig = {}) {
    const { apiKey, ...rest } = options;
    const isSecret = typeof apiKey === "string" && apiKey !== "" &&
      variableOf(apiKey) === undefined;
    super(isSecret ? rest as LanguageModelInput : options, config);
    this.#apiKey = apiKey;
  }

  /** The conversation so far, without the system's part. */
  get history(): readonly ChatMessage[] {
    return this.#history.messages;
  }

  /** Looks up the key. */
  override open({ signal }: NodeContext): void {
    signal.addEventListener("abort", () => this.#running?.abort(signal.reason));
    const { baseUrl, headers, timeoutMs, retries, retryDelayMs } = this.options;
    const url = `${baseUrl.replace(/\/+$/, "")}/chat/completions`;
    const apiKey = keyOf(this.#apiKey);
    this.#client = new ChatClient({ url, apiKey, headers, timeoutMs, retries, retryDelayMs });
  }

  /** Gives the reply to what the user says. */
  async *process(chunk: unknown): AsyncGenerator<string | ChatMessage | Marker> {
    const message = messageFrom(chunk);
    if (message === undefined) return;
    this.#history.add(message);
    if (message.role !== "user") return;
    const running = this.#running = new AbortController();
    const usage: TokenUsage = { promptTokens: 0, completionTokens: 0 };
    try {
      for (let round = 0;; round++) {
        const reply = new ChatReply();
        yield* this.#say(reply, { round, signal: running.signal });
        usage.promptTokens += reply.usage?.promptTokens ?? 0;
        usage.completionTokens += reply.usage?.completionTokens ?? 0;
        if (reply.toolCalls.length === 0) break;
        if (round >= this.options.maxToolRounds) {
          throw new Error(`The model asks for tools in more than ${round} rounds of one reply`);
        }
        await this.#callTools(reply, running.signal);
      }
      if (this.options.emit === "messages") yield this.#history.messages.at(-1)!;
      if (this.options.usage) yield new Marker({ name: "usage", data: usage });
    } catch (error) {
      if (running.signal.reason !== INTERRUPTED) throw error;
    } finally {
      running.abort(); // also where nobody reads on
      if (this.#running === running) this.#running = undefined;
    }
  }

  /** Ends the request; what has come of the reply stays in the conversation. */
  override onInterrupt(): void {
    this.#running?.abort(INTERRUPTED);
    this.#sentences.onInterrupt();
  }

  /** The conversation. */
  override snapshot(): unknown {
    return [...this.#history.messages];
  }

  /** Goes on with a conversation. */
  override restore(state: unknown): void {
    this.#history.restore(state as ChatMessage[]);
  }

  /** One request: gives its text, and keeps it. */
  async *#say(
    reply: ChatReply,
    { round, signal }: { round: number; signal: AbortSignal },
  ): AsyncGenerator<string> {
    const { emit } = this.options;
    let isWhole = false;
    try {
      for await (const piece of this.#client!.ask(this.#body(round), reply, signal)) {
        if (emit === "tokens") yield piece;
        if (emit === "sentences") yield* this.#sentences.process(piece);
      }
      if (emit === "sentences") yield* this.#sentences.flush();
      isWhole = true;
    } finally {
      const { text: content, toolCalls } = reply;
      if (isWhole) {
        this.#history.add({
          role: "assistant",
          content,
          ...(toolCalls.length === 0 ? {} : { toolCalls }),
        });
      } else if (content !== "") {
        this.#history.add({ role: "assistant", content, cutOff: true });
      }
    }
  }

  async #callTools({ toolCalls }: ChatReply, signal: AbortSignal): Promise<void> {
    // all answers are kept, also those that an interrupt ends: a call without an answer is refused by servers
    const results = await Promise.all(toolCalls.map((call) => this.#tools.call(call, signal)));
    for (const [index, content] of results.entries()) {
      this.#history.add({ role: "tool", content, toolCallId: toolCalls[index]!.id });
    }
    signal.throwIfAborted();
  }

  #body(round: number): Record<string, unknown> {
    const { model, system, temperature, maxTokens, parameters, maxToolRounds } = this.options;
    const messages = this.#history.messages.map(toWire);
    if (system !== undefined) messages.unshift({ role: "system", content: system });
    const tools = this.#tools.toWire();
    return {
      ...parameters,
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
      ...(tools === undefined ? {} : { tools }),
      ...(tools !== undefined && round >= maxToolRounds ? { tool_choice: "none" } : {}),
    };
  }
}

/** Why a request that an interrupt voids is aborted. */
const INTERRUPTED = Symbol("interrupted");

function messageFrom(chunk: unknown): ChatMessage | undefined {
  if (typeof chunk === "string") return { role: "user", content: chunk };
  const { role, content, text, final } = (chunk ?? {}) as Partial<ChatMessage> & {
    text?: unknown;
    final?: unknown;
  };
  if (typeof text === "string") {
    return final === false ? undefined : { role: "user", content: text };
  }
  const roles = ["system", "user", "assistant", "tool"];
  if (typeof content === "string" && roles.includes(role as string)) return chunk as ChatMessage;
  throw wrongInput("LanguageModel", "a text or a message with role and content", chunk);
}

/** The variable that a key of the form `${NAME}` names. */
function variableOf(apiKey: string): string | undefined {
  return /^\$\{(\w+)\}$/.exec(apiKey)?.[1];
}

function keyOf(apiKey: string | undefined): string | undefined {
  const variable = apiKey === undefined ? undefined : variableOf(apiKey);
  if (variable === undefined) return apiKey;
  const value = Deno.env.get(variable);
  if (value) return value;
  const rule = `the environment must have the variable ${variable}`;
  throw new TypeError(cannot("open LanguageModel", { rule, value }));
}
