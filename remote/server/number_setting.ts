import { z } from "zod";

/**
 * A number that flags and environment give as text. Nothing else is made one: an empty text is no 0, and `null` in a
 * file neither.
 */
export function numberSetting<T extends z.ZodType>(rule: T): z.ZodPreprocess<T> {
  return z.preprocess(
    (value) => typeof value === "string" && value.trim() !== "" ? Number(value) : value,
    rule,
  );
}
