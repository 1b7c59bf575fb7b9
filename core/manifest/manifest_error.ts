import { ConfigurationError, type ErrorOptions } from "../errors.ts";

/** One thing that is wrong with a manifest. */
export interface ManifestIssue {
  /** One sentence. */
  message: string;
  /** The line, from 1. */
  line: number;
  /** The column, from 1. */
  column: number;
}

/** A manifest that cannot be read. The message has the first thing that is wrong, with file, line and column. */
export class ManifestError extends ConfigurationError {
  /** The class's name. */
  override readonly name: string = "ManifestError";
  /** What to call the text. */
  readonly file: string;
  /** All that is wrong, in the order of the text. */
  readonly issues: readonly ManifestIssue[];

  /**
   * Makes one.
   *
   * @param file what to call the text
   * @param issues at least one
   * @param options the cause, where there is one
   */
  constructor(file: string, issues: readonly ManifestIssue[], options: ErrorOptions = {}) {
    const { line, column, message } = issues[0]!;
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
    super(`${file}:${line}:${column}: ${message}${more}`, { cause: options.cause });
    this.file = file;
    this.issues = issues;
  }
}
