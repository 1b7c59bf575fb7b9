import type { InferenceSession } from "onnxruntime-node";

/** onnxruntime's module, which brings its native library: loaded when first used. */
export type OnnxRuntime = typeof import("onnxruntime-node");

/** A model that is ready to run. */
export interface OnnxModel {
  /** What makes its tensors. */
  readonly ort: OnnxRuntime;
  /** Runs it. Keeps no state between runs, so everybody may share it. */
  readonly session: InferenceSession;
}

/** One promise a model for the whole process, so one session: bounded by the models that the nodes name. */
const models = new Map<string, Promise<OnnxModel>>();

/**
 * The process's one session of a model, on the CPU, one thread. A failed load is not kept: the next call
 * tries again.
 *
 * @param url of the model's file; @param warm runs it once, so that later runs are not slower
 * @throws {Error} if the runtime or the model cannot be loaded, with the reason as `cause`
 */
export function loadOnnxModel(
  url: string,
  warm?: (model: OnnxModel) => Promise<unknown>,
): Promise<OnnxModel> {
  let model = models.get(url);
  if (model === undefined) {
    model = load(url, warm).catch((cause) => {
      models.delete(url);
      throw new Error(`Cannot load ONNX model ${url}`, { cause });
    });
    models.set(url, model);
  }
  return model;
}

async function load(
  url: string,
  warm?: (model: OnnxModel) => Promise<unknown>,
): Promise<OnnxModel> {
  const ort = await import("onnxruntime-node");
  const bytes = await Deno.readFile(new URL(url));
  const session = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: 1, // small models lose more by handing work over than they win
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const model = { ort, session };
  await warm?.(model);
  return model;
}
