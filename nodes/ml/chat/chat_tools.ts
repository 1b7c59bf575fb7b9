import { Ajv2020, type ValidateFunction } from "ajv/dist/2020";
import { cannot, messageOf } from "../../../core/errors.ts";
import type { ToolCall } from "./chat_message.ts";

/** A function that a language model may call. */
export interface Tool {
  /** Its name: letters, digits, `_` and `-`, at most 64. */
  name: string;
  /** What it does and when to use it, for the model. */
  description?: string;
  /** JSON Schema of its arguments, an object. @default no arguments */
  parameters?: Record<string, unknown>;
  /**
   * Does it. What it gives is fed back: text as it is, anything else as JSON. What it throws is fed back too.
   *
   * @param args checked by `parameters`; @param signal aborted by an interrupt, a time-out, or the stream's end
   */
  run(args: Record<string, unknown>, signal: AbortSignal): unknown;
}

/** The tools of a model, ready to be called. */
export class ChatTools {
  readonly #tools = new Map<string, { tool: Tool; isValid: ValidateFunction }>();
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #timeoutMs: number;

  /**
   * @param tools with names of their own; @param timeoutMs how long a call may take
   * @throws {TypeError} if two have one name, or a schema is none
   */
  constructor(tools: readonly Tool[], timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    for (const tool of tools) {
      const { name, parameters = { type: "object" } } = tool;
      if (this.#tools.has(name)) {
        const rule = "each tool must have a name of its own";
        throw new TypeError(cannot("create LanguageModel", { rule, value: name }));
      }
      try {
        this.#tools.set(name, { tool, isValid: this.#ajv.compile(parameters) });
      } catch (cause) {
        const message =
          `Cannot create LanguageModel as the parameters of tool ${name} must be a JSON Schema: `;
        throw new TypeError(message + messageOf(cause), { cause });
      }
    }
  }

  /** The tools as the protocol has them; `undefined` where there are none. */
  toWire(): unknown[] | undefined {
    if (this.#tools.size === 0) return undefined;
    return Array.from(this.#tools.values(), ({ tool: { name, description, parameters } }) => ({
      type: "function",
      function: { name, description, parameters: parameters ?? { type: "object", properties: {} } },
    }));
  }

  /** Calls a tool. @returns what the model is told; what goes wrong is told too, never thrown */
  async call({ name, arguments: text }: ToolCall, signal: AbortSignal): Promise<string> {
    const known = this.#tools.get(name);
    if (known === undefined) return `Error: there is no tool ${name}`;
    let args: unknown;
    try {
      args = JSON.parse(text.trim() === "" ? "{}" : text);
    } catch (error) {
      return `Error: the arguments are no JSON: ${messageOf(error)}`;
    }
    if (!known.isValid(args)) {
      return `Error: the arguments are wrong: ${this.#ajv.errorsText(known.isValid.errors)}`;
    }
    const controller = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (reason: unknown) => (controller.abort(reason), reject(reason));
    const timer = setTimeout(
      () => end(new Error(`it took longer than ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    const stop = () => end(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const work = Promise.try(() =>
        known.tool.run(args as Record<string, unknown>, controller.signal)
      );
      const result = await Promise.race([work, ended]);
      return typeof result === "string" ? result : JSON.stringify(result) ?? "done";
    } catch (error) {
      return `Error: ${signal.aborted ? "it was interrupted" : messageOf(error)}`;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }
}
