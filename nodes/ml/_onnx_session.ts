import type { InferenceSession } from "onnxruntime-node";
import { messageOf } from "../../core/errors.ts";
import { type Logger, loggerFor } from "../../core/log.ts";
import { type Lease, Shared } from "./_shared.ts";
import { forbidTelemetry } from "./_telemetry.ts";

/** onnxruntime's module, which brings its native library: loaded when first used. */
export type OnnxRuntime = typeof import("onnxruntime-node");

/** How a session runs. */
export interface SessionRules {
  /** Where it runs, the most wanted first. The CPU stands in where none can be had. */
  executionProviders: readonly string[];
  /** Threads that one run uses; 0 is onnxruntime's choice. */
  threads: number;
}

/** On the CPU with one thread: small models lose more by handing work over than they win. */
export const oneThread: SessionRules = { executionProviders: ["cpu"], threads: 1 };

/** What a model is made of: a path, a `file:` URL, or its bytes. */
export type ModelSource = string | Uint8Array;

/** A model that is ready to run. Keeps no state between runs, so everybody may share it. */
export class LoadedModel {
  /** What makes its tensors. */
  readonly ort: OnnxRuntime;
  /** Runs it. */
  readonly session: InferenceSession;
  /** Where it runs. */
  readonly provider: string;
  readonly #running = new Set<Promise<unknown>>();

  /** @param session of the runtime; @param provider where it runs */
  constructor(ort: OnnxRuntime, session: InferenceSession, provider: string) {
    this.ort = ort;
    this.session = session;
    this.provider = provider;
  }

  /** Runs it; the session is not freed before that is done. */
  async run(feeds: InferenceSession.FeedsType): Promise<InferenceSession.ReturnType> {
    const run = this.session.run(feeds);
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }

  /** Frees the session once nothing runs on it. */
  async free(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.session.release();
  }
}

const models = new Shared<LoadedModel>((model) => model.free());

/** How many sessions this process holds. */
export function heldSessions(): number {
  return models.size;
}

/**
 * The process's one session of a model, freed when the last one who holds it lets go. A file counts as the same
 * as long as its size and time of change are; bytes, as long as their SHA-256 is.
 *
 * @param rules how it runs; @param warm runs it once, so that later runs are not slower
 * @throws {Error} if the runtime or the model cannot be loaded, with the reason as `cause`
 */
export async function acquireModel(
  source: ModelSource,
  rules: SessionRules = oneThread,
  { warm, log = loggerFor("onnx") }: {
    warm?: (model: LoadedModel) => Promise<unknown>;
    log?: Logger;
  } = {},
): Promise<Lease<LoadedModel>> {
  try {
    const key = JSON.stringify([await identityOf(source), rules]);
    return await models.acquire(key, async () => {
      const bytes = typeof source === "string" ? await Deno.readFile(fileOf(source)) : source;
      const model = await create(bytes, rules, log);
      await warm?.(model);
      return model;
    });
  } catch (cause) {
    const name = typeof source === "string" ? source : `of ${source.length} bytes`;
    throw new Error(`Cannot load ONNX model ${name} as ${messageOf(cause)}`, { cause });
  }
}

/** Makes a session at the first place that can be had, and says so where that is not the first one wanted. */
async function create(bytes: Uint8Array, rules: SessionRules, log: Logger): Promise<LoadedModel> {
  forbidTelemetry();
  const ort = await import("onnxruntime-node");
  const wanted = [...new Set([...rules.executionProviders, "cpu"])];
  for (const provider of wanted) {
    try {
      const session = await ort.InferenceSession.create(bytes, {
        executionProviders: [provider],
        executionMode: "sequential",
        interOpNumThreads: 1,
        logSeverityLevel: 4, // what fails is thrown, with the same words
        ...(rules.threads === 0 ? {} : { intraOpNumThreads: rules.threads }),
      });
      return new LoadedModel(ort, session, provider);
    } catch (error) {
      if (provider === "cpu") throw error;
      log.warn("Execution provider {provider} cannot be had, the next one is tried: {reason}", {
        provider,
        reason: messageOf(error),
      });
    }
  }
  throw new Error("no execution provider was named");
}

function fileOf(source: string): string | URL {
  return source.startsWith("file:") ? new URL(source) : source;
}

async function identityOf(source: ModelSource): Promise<unknown> {
  if (typeof source === "string") {
    const path = await Deno.realPath(fileOf(source));
    const { mtime, size } = await Deno.stat(path);
    return [path, size, mtime?.getTime()];
  }
  const digest = await crypto.subtle.digest("SHA-256", source as Uint8Array<ArrayBuffer>);
  return new Uint8Array(digest).toHex();
}
