import { loggerFor } from "../../core/log.ts";

/** What onnxruntime looks for, once, when it is loaded. */
const VARIABLE = "ORT_DISABLE_TELEMETRY";

let told = false;

/**
 * Keeps onnxruntime, from 1.29 on, from writing an identifier of this machine into the user's cache folder
 * and sending its maker what runs. Whoever sets the variable to `0` wants it. Call it before the library
 * is loaded. transformers.js does the same for itself.
 */
export function forbidTelemetry(): void {
  if (Deno.permissions.querySync({ name: "env", variable: VARIABLE }).state === "granted") {
    if (Deno.env.get(VARIABLE) === undefined) Deno.env.set(VARIABLE, "1");
  } else if (!told) {
    told = true;
    loggerFor("onnx").warn(
      "onnxruntime may send its maker what runs here: allow --allow-env={variable}, or set it to 1",
      { variable: VARIABLE },
    );
  }
}
