import { messageOf, SandboxError, type SandboxReason } from "../../../core/errors.ts";
import type { BlobReader } from "../_blobs.ts";
import { Link, MessageTooLarge } from "../_link.ts";
import type { CompleteLimits } from "../limits.ts";
import {
  decodeGuestMessage,
  type GuestMessage,
  type HostMessage,
  packHostMessage,
  PROTOCOL_VERSION,
} from "../protocol.ts";
import { guestFiles } from "./guest_files.ts";
import { commandOf, type Launch, type SandboxFolder } from "./launch.ts";
import { innermostProcess, processUsage } from "./process_usage.ts";
import { watch } from "./watchdog.ts";

/** How long a process may take to say that it is ready, in ms. */
const START_MS = 20_000;
/** How long a process that hung up may take to say why, in ms. */
const LAST_WORDS_MS = 250;
/** What is kept of the end of what a process writes to its standard error. */
const MAX_WORDS = 4096;
/** The most that a process may write to its outputs in one second; all it says goes over the socket. */
const MAX_STRAY_BYTES = 1 << 20;

/** Who is told what a sandbox says. */
export interface Listener {
  /** A message. What this throws ends the sandbox. */
  accept(message: GuestMessage): void;
  /** The process is gone, and why. Called once. */
  ended(error: SandboxError): void;
}

/**
 * A child process with a guest in it, connected and ready. Whatever it sends is checked here; the first
 * thing wrong ends it with SIGKILL.
 */
export class SandboxProcess {
  readonly launch: Launch;
  readonly folder: SandboxFolder;
  readonly #child: Deno.ChildProcess;
  #link!: Link<HostMessage>;
  #listener: Listener | undefined;
  #limits: CompleteLimits;
  #endError: SandboxError | undefined;
  #killed = false;
  #killedFromOutside = false;
  #words = "";
  #wordsRead: Promise<void> | undefined;
  #unwatch: (() => void) | undefined;
  #lastMessageAt = performance.now();
  #outputBytes = 0;
  readonly #rates = { messages: 0, lines: 0, strayBytes: 0, since: performance.now() };
  readonly #over = Promise.withResolvers<void>();

  private constructor(launch: Launch, folder: SandboxFolder, child: Deno.ChildProcess) {
    this.launch = launch;
    this.folder = folder;
    this.#child = child;
    this.#limits = launch.limits;
  }

  /**
   * Starts a process and waits until its guest is ready for a bundle.
   *
   * @throws {SandboxError} if it does not start
   */
  static async start(launch: Launch): Promise<SandboxProcess> {
    const files = await guestFiles();
    const folder = makeFolder(files.guestUrl);
    const listener = Deno.listen({ transport: "unix", path: folder.socket });
    try {
      const { command, args, env } = commandOf(launch, { folder, files });
      const child = new Deno.Command(command, {
        args,
        env,
        clearEnv: true,
        cwd: folder.root,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const process = new SandboxProcess(launch, folder, child);
      void process.#readStray(child.stdout, false);
      process.#wordsRead = process.#readStray(child.stderr, true);
      void process.#awaitExit();
      try {
        await process.#connect(listener);
      } catch (error) {
        process.kill("crash", `did not start: ${messageOf(error)}`);
        await process.over;
        throw process.#endError;
      }
      return process;
    } catch (cause) {
      removeFolder(folder);
      if (cause instanceof SandboxError) throw cause;
      throw new SandboxError(`Cannot start sandbox: ${messageOf(cause)}`, {
        reason: "crash",
        cause,
      });
    } finally {
      close(listener);
    }
  }

  /** The process' number. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Why it ended, once it has. */
  get endError(): SandboxError | undefined {
    return this.#endError;
  }

  /** Whether it still runs: its end may not have been noticed yet. */
  get alive(): boolean {
    return this.#endError === undefined && (processUsage(this.pid)?.residentBytes ?? 0) > 0;
  }

  /** Whether somebody else ended it, with a signal: its guest did nothing wrong. */
  get killedFromOutside(): boolean {
    return this.#killedFromOutside;
  }

  /** Resolves when the process is gone and nothing of it is left. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** The wire to the guest. */
  get link(): Link<HostMessage> {
    return this.#link;
  }

  /** Gives the process to its one user: from here on its limits are watched. */
  adopt(listener: Listener, limits: CompleteLimits): void {
    if (this.#endError !== undefined) throw this.#endError;
    this.#listener = listener;
    this.#limits = limits;
    this.#lastMessageAt = performance.now();
    // deno-lint-ignore no-this-alias
    const self = this;
    this.#unwatch = watch({
      pid: innermostProcess(this.pid),
      limits,
      get lastMessageAt() {
        return self.#lastMessageAt;
      },
      exceed: (reason, what) => self.kill(reason, what),
    });
  }

  /** Sends a message. */
  send(message: HostMessage): void {
    this.#lastMessageAt = performance.now();
    this.#link.send(message);
  }

  /** Ends it with SIGKILL. What it did, for the error: `used 130 MB of memory`. */
  kill(reason: SandboxReason, what: string, cause?: unknown): void {
    if (this.#endError !== undefined) return;
    this.#end(new SandboxError(`Sandbox ${what}`, { reason, cause }));
    this.#killed = true;
    killChild(this.#child);
  }

  async #connect(listener: Deno.Listener): Promise<void> {
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const exited = this.#child.status.then(() => {
      throw new Error(`it ended at once: ${this.#words}`);
    });
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error("it took too long")), START_MS);
    exited.catch(reject);
    late.promise.catch(reject);
    ready.catch(() => {}); // told below, or the start failed before
    try {
      const connection = await Promise.race([listener.accept(), exited, late.promise]);
      close(listener); // nobody else may come in
      this.#link = new Link(connection, {
        encode: packHostMessage,
        maxBytes: this.#limits.messageBytes,
      });
      void this.#receive(resolve);
      await ready;
    } finally {
      clearTimeout(timer);
    }
  }

  async #receive(ready: () => void): Promise<void> {
    let isReady = false;
    try {
      await this.#link.receive((head, blobs) => {
        const message = this.#check(head, blobs);
        if (message.type === "ready" && !isReady) {
          isReady = true;
          if (message.version !== PROTOCOL_VERSION) throw new Error("speaks another version");
          ready();
        } else if (this.#listener === undefined) {
          throw new Error("spoke before it was asked");
        } else {
          this.#listener.accept(message);
        }
      });
      await this.#hungUp();
    } catch (error) {
      if (isHangUp(error)) {
        await this.#hungUp(error);
      } else if (error instanceof MessageTooLarge) {
        this.kill("output", error.message, error);
      } else {
        this.kill("protocol", `broke the protocol: ${messageOf(error)}`, error);
      }
    }
  }

  /** Decodes a message, within the limits. */
  #check(head: Uint8Array, blobs: BlobReader): GuestMessage {
    const { outputBytes, messagesPerSecond, logLinesPerSecond } = this.#limits;
    this.#lastMessageAt = performance.now();
    this.#outputBytes += head.length + blobs.size;
    if (this.#outputBytes > outputBytes) this.kill("output", `sent ${this.#outputBytes} bytes`);
    const rates = this.#ratesNow();
    if (++rates.messages > messagesPerSecond) {
      this.kill("output", `sent ${rates.messages} messages in a second`);
    }
    if (this.#endError !== undefined) throw this.#endError;
    const message = decodeGuestMessage(head, blobs);
    if (message.type === "log" && ++rates.lines > logLinesPerSecond) {
      this.kill("output", `wrote ${rates.lines} lines in a second`);
      throw this.#endError;
    }
    return message;
  }

  #ratesNow(): { messages: number; lines: number; strayBytes: number } {
    const rates = this.#rates;
    const now = performance.now();
    if (now - rates.since > 1000) {
      Object.assign(rates, { messages: 0, lines: 0, strayBytes: 0, since: now });
    }
    return rates;
  }

  /** Reads what was written past the socket, so that the process cannot wait for it for ever. */
  async #readStray(stream: ReadableStream<Uint8Array>, keep: boolean): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of stream) {
        const rates = this.#ratesNow();
        rates.strayBytes += bytes.length;
        if (keep) {
          const text = decoder.decode(bytes.subarray(-MAX_WORDS), { stream: true });
          this.#words = (this.#words + text).slice(-MAX_WORDS);
        }
        if (rates.strayBytes > MAX_STRAY_BYTES) {
          this.kill("output", `wrote ${rates.strayBytes} bytes to its outputs in a second`);
        }
      }
    } catch (error) {
      this.kill("crash", `has outputs that cannot be read: ${messageOf(error)}`, error);
    }
  }

  /** Gives a process that hung up the time to end by itself and say why, then ends it. */
  async #hungUp(cause?: unknown): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_WORDS_MS);
    await Promise.race([this.#over.promise, promise]);
    clearTimeout(timer);
    this.kill("crash", "hung up", cause);
  }

  async #awaitExit(): Promise<void> {
    const { code, signal } = await this.#child.status;
    await this.#wordsRead; // its last words may still be in the pipe
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    const words = plainWords(this.#words);
    this.#killedFromOutside = signal === "SIGKILL" && !this.#killed;
    const what = words === "" ? how : `failed: ${words}`;
    this.#end(new SandboxError(`Sandbox ${what}`, { reason: reasonOf(words) }));
    this.#link?.close();
    await this.#child.stdin.close().catch(() => {}); // its reader is gone
    removeFolder(this.folder);
    this.#over.resolve();
  }

  /** The first reason is the one that is told. */
  #end(error: SandboxError): void {
    if (this.#endError !== undefined) return;
    this.#endError = error;
    this.#unwatch?.();
    this.#listener?.ended(error);
  }
}

function makeFolder(guestUrl: string): SandboxFolder {
  const root = Deno.makeTempDirSync({ prefix: "remotemedia-sandbox-" });
  const folder: SandboxFolder = {
    root,
    socket: `${root}/s`,
    bundle: `${root}/bundle`,
    importMap: `${root}/import_map.json`,
    cache: `${root}/cache`,
  };
  Deno.writeTextFileSync(
    folder.importMap,
    JSON.stringify({ imports: { "@remotemedia/sdk": guestUrl } }),
  );
  Deno.mkdirSync(folder.bundle);
  Deno.mkdirSync(folder.cache);
  // where Deno would make a folder for caches and storage, which need no permission: a file is in the way
  Deno.writeTextFileSync(`${folder.cache}/location_data`, "");
  return folder;
}

function removeFolder({ root }: SandboxFolder): void {
  try {
    Deno.removeSync(root, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Closes a listener, which unlinks its socket, if that was not done yet. */
function close(listener: Deno.Listener): void {
  try {
    listener.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it ended by itself meanwhile
  }
}

/** Whether an error means that the connection's other end is gone. */
function isHangUp(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, BadResource, Interrupted } = Deno.errors;
  return [BrokenPipe, ConnectionReset, BadResource, Interrupted].some((gone) =>
    error instanceof gone
  );
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
  if (/out of memory|OOM|allocation failed/i.test(words)) return "memory";
  return /^Uncaught.*NotCapable/.test(words) ? "denied" : "crash";
}
