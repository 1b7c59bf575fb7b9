import { z } from "zod";

/** The option that names the language whose rules hold. */
export const localeOption: z.ZodDefault<z.ZodString> = z.string()
  .refine(isLocale, "must be a BCP 47 language tag such as en, tr or zh-Hant")
  .describe("Language whose rules hold for letters and words, as BCP 47 tag")
  .default("en");

function isLocale(tag: string): boolean {
  try {
    Intl.getCanonicalLocales(tag);
    return true;
  } catch {
    return false; // it says so by a RangeError
  }
}
