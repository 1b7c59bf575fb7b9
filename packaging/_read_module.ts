import { PackagingError } from "../core/errors.ts";
import { type ModuleSyntax, parseModule } from "./_module_syntax.ts";
import type { SyntaxReply, SyntaxRequest } from "./_module_syntax_worker.ts";

/** Sources up to this many characters are parsed in place, in some 20 ms; longer ones in a worker. */
const inPlaceLength = 64 * 1024;

/** The worker that parses now: one at a time, so that uploads at once do not add up their syntax trees. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Lists a module's imports and exports without holding up the event loop.
 *
 * @throws {PackagingError} if it is no ES module, or has more than `maxTokens`
 */
export async function readModule(source: string, maxTokens: number): Promise<ModuleSyntax> {
  if (source.length <= inPlaceLength) return parseModule(source, maxTokens);
  const mine = last.then(() => parseInWorker({ source, maxTokens }));
  last = mine.catch(() => undefined);
  return await mine;
}

async function parseInWorker(request: SyntaxRequest): Promise<ModuleSyntax> {
  const url = new URL("./_module_syntax_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  try {
    const reply = await new Promise<SyntaxReply>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new PackagingError(`Cannot read module: ${event.message}`));
      };
      worker.postMessage(request);
    });
    if ("error" in reply) throw new PackagingError(reply.error);
    return reply.syntax;
  } finally {
    worker.terminate();
  }
}
