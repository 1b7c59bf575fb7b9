import { messageOf } from "../core/errors.ts";
import { type ModuleSyntax, parseModule } from "./_module_syntax.ts";

/** What the worker is asked, once. */
export interface SyntaxRequest {
  /** The module. */
  source: string;
  /** The most tokens that it may have. */
  maxTokens: number;
}

/** What it answers. */
export type SyntaxReply = { syntax: ModuleSyntax } | { error: string };

/** As much of a worker's global scope as is used here. */
interface Scope {
  onmessage: (event: MessageEvent<SyntaxRequest>) => void;
  postMessage(reply: SyntaxReply): void;
}

const scope = globalThis as unknown as Scope;
scope.onmessage = ({ data: { source, maxTokens } }) => {
  try {
    scope.postMessage({ syntax: parseModule(source, maxTokens) });
  } catch (error) {
    scope.postMessage({ error: messageOf(error) });
  }
};
