import { SandboxError, type SandboxReason } from "../../../core/errors.ts";

/** What is kept of the end of what a process writes to its standard error. */
const MAX_WORDS = 4096;

/** What bwrap ends with when SIGXFSZ ended its program. */
const WROTE_FILE = 128 + 25;

/** Keeps the end of what a process writes to its standard error: there it says why it ended. */
export class LastWords {
  readonly #decoder = new TextDecoder();
  #words = "";

  /** Takes what was written. */
  add(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes.subarray(-MAX_WORDS), { stream: true });
    this.#words = (this.#words + text).slice(-MAX_WORDS);
  }

  /** As they were written. */
  toString(): string {
    return this.#words;
  }

  /** What to tell of a process that ended without being killed from here; by somebody else with a signal, or by itself. */
  errorOf(
    { code, signal }: { code: number; signal: string | null },
    { fromOutside }: { fromOutside: boolean },
  ): SandboxError {
    const words = plainWords(this.#words);
    const used = /^memory: (\d{1,15})$/m.exec(words)?.[1]; // its supervisor saw it first
    if (used !== undefined) {
      return new SandboxError(`Sandbox used ${megabytes(Number(used))}`, { reason: "memory" });
    }
    if (signal === "SIGXFSZ" || code === WROTE_FILE) {
      return new SandboxError("Sandbox wrote a file, which none may", { reason: "denied" });
    }
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    const what = words === "" ? how : `failed: ${words}`;
    const reason = reasonOf(words);
    const retryable = fromOutside && reason === "crash";
    return new SandboxError(`Sandbox ${what}`, { reason, retryable });
  }
}

/** An amount of memory for people. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB of memory`;
}

/** What a process said at its end, without what only concerns this machine. */
function plainWords(words: string): string {
  const said = words.replaceAll(/^error: Uncaught \(in worker ".*"\) /gm, "Uncaught ");
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const last = lines.at(-1);
  if (lines.length > 1 && last !== undefined && lines[0]!.startsWith(last)) lines.pop();
  return lines.join("\n");
}

/** Why a process ended that was not killed, as far as its last words tell. */
function reasonOf(words: string): SandboxReason {
  if (/out of memory|\bOOM\b|allocation (of \d+ bytes )?failed/i.test(words)) return "memory";
  return /^Uncaught.*NotCapable/.test(words) ? "denied" : "crash";
}
