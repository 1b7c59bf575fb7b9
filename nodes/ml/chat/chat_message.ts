/** A call of a tool that a model asks for. */
export interface ToolCall {
  /** Names the call. */
  id: string;
  /** The tool's name. */
  name: string;
  /** Its arguments as JSON text, as the model wrote them. */
  arguments: string;
}

/** A message of a conversation. */
export interface ChatMessage {
  /** Who speaks. */
  role: "system" | "user" | "assistant" | "tool";
  /** What is said. */
  content: string;
  /** Of an assistant: the tools that it asks for. */
  toolCalls?: ToolCall[];
  /** Of a tool: the call that it answers. */
  toolCallId?: string;
  /** Of an assistant: whether an interrupt cut it off; then `content` is what had come. */
  cutOff?: boolean;
}

/** What an answer has taken, as the server counts it. */
export interface TokenUsage {
  /** Tokens of what was sent. */
  promptTokens: number;
  /** Tokens of what came back. */
  completionTokens: number;
}

/** What a model is told of words that an interrupt cut off. */
const CUT_OFF = " [interrupted]";

/** A message as the protocol has it. */
export function toWire(message: ChatMessage): Record<string, unknown> {
  const { role, content, toolCalls, toolCallId, cutOff } = message;
  if (role === "tool") return { role, content, tool_call_id: toolCallId };
  const said = cutOff ? content + CUT_OFF : content;
  if (toolCalls === undefined || toolCalls.length === 0) return { role, content: said };
  const calls = toolCalls.map(({ id, name, arguments: args }) => ({
    id,
    type: "function",
    function: { name, arguments: args },
  }));
  return { role, content: said === "" ? null : said, tool_calls: calls };
}
