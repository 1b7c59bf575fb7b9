import type { ChatMessage } from "./chat_message.ts";

/**
 * The messages of a conversation. Bounded by their number and length: the oldest turns are dropped, each whole
 * (what a user said with all that followed), for an answer of a tool without its call is refused by servers. The
 * last turn stays, however long; its rounds are bounded elsewhere.
 */
export class ChatHistory {
  readonly #maxMessages: number;
  readonly #maxCharacters: number;
  #messages: ChatMessage[] = [];

  /** @param bounds the most messages, and characters in all of them */
  constructor({ maxMessages, maxCharacters }: { maxMessages: number; maxCharacters: number }) {
    this.#maxMessages = maxMessages;
    this.#maxCharacters = maxCharacters;
  }

  /** The messages, the oldest first. */
  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** Adds a message. */
  add(message: ChatMessage): void {
    this.#messages.push(message);
    this.#trim();
  }

  /** Goes on from messages of before. */
  restore(messages: readonly ChatMessage[]): void {
    this.#messages = [...messages];
    this.#trim();
  }

  #trim(): void {
    let characters = this.#messages.reduce((all, each) => all + lengthOf(each), 0);
    while (this.#messages.length > this.#maxMessages || characters > this.#maxCharacters) {
      const next = this.#messages.findIndex(({ role }, index) => index > 0 && role === "user");
      if (next === -1) return;
      for (const dropped of this.#messages.splice(0, next)) characters -= lengthOf(dropped);
    }
  }
}

function lengthOf({ content, toolCalls = [] }: ChatMessage): number {
  return toolCalls.reduce((all, { arguments: args }) => all + args.length, content.length);
}
