import { messageOf, SandboxError, type SandboxReason } from "../../../core/errors.ts";
import type { BlobReader } from "../_blobs.ts";
import { splitMessage } from "../_codec_parts.ts";
import { Link, MessageTooLarge } from "../_link.ts";
import type { CompleteLimits } from "../limits.ts";
import { decodeGuestMessage } from "../guest_codec.ts";
import { packHostMessage } from "../host_codec.ts";
import { type GuestMessage, type HostMessage, PROTOCOL_VERSION } from "../protocol.ts";
import { close, isHangUp, isKill, killChild } from "./_endings.ts";
import { guestFiles } from "./guest_files.ts";
import { LastWords } from "./last_words.ts";
import { commandOf, type Launch } from "./launch.ts";
import { OutputQuota } from "./output_quota.ts";
import { innermostProcess, processUsage } from "./process_usage.ts";
import { makeFolder, removeFolder, type SandboxFolder } from "./sandbox_folder.ts";
import { watch } from "./watchdog.ts";

/** How long a process may take to say that it is ready, in ms. */
const START_MS = 20_000;
/** How long a process that hung up may take to say why, in ms. */
const LAST_WORDS_MS = 250;

/** Who is told what a sandbox says. */
export interface Listener {
  /** A message. What this throws ends the sandbox; what it gives is awaited before more is read. */
  accept(message: GuestMessage): Promise<void> | void;
  /** The process is gone, and why. Called once. */
  ended(error: SandboxError): void;
  /** The process took CPU time, in ms. */
  used?(cpuMs: number): void;
}

/**
 * A child process with a guest in it, connected and ready. Whatever it sends is checked here; the first
 * thing wrong ends it with SIGKILL.
 */
export class SandboxProcess {
  readonly launch: Launch;
  readonly folder: SandboxFolder;
  readonly #child: Deno.ChildProcess;
  /** The supervisor's standard input: it ends with it. */
  readonly #control: WritableStreamDefaultWriter<Uint8Array>;
  #link!: Link<HostMessage>;
  #listener: Listener | undefined;
  #limits: CompleteLimits;
  #endError: SandboxError | undefined;
  #killed = false;
  #killedFromOutside = false;
  readonly #words = new LastWords();
  #wordsRead: Promise<void> | undefined;
  #unwatch: (() => void) | undefined;
  #lastMessageAt = performance.now();
  readonly #quota = new OutputQuota();
  readonly #over = Promise.withResolvers<void>();

  private constructor(launch: Launch, folder: SandboxFolder, child: Deno.ChildProcess) {
    this.launch = launch;
    this.folder = folder;
    this.#child = child;
    this.#control = child.stdin.getWriter();
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
        detached: true, // a terminal's Ctrl-C is for the host, which drains
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
    const pid = innermostProcess(this.pid);
    const base = processUsage(pid);
    if (base === undefined) return; // its end is about to be told
    this.#sayMemory(base.sharedBytes, limits.memoryBytes);
    // deno-lint-ignore no-this-alias
    const self = this;
    this.#unwatch = watch({
      pid,
      base,
      limits,
      get lastMessageAt() {
        return self.#lastMessageAt;
      },
      used: (cpuMs) => listener.used?.(cpuMs),
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

  /** Tells the supervisor what the process may use: more than what it shares with its executable. */
  #sayMemory(sharedBytes: number, memoryBytes: number): void {
    const bytes = Math.ceil(Math.min(memoryBytes, Number.MAX_SAFE_INTEGER));
    const line = new TextEncoder().encode(`${sharedBytes} ${bytes}\n`);
    this.#control.write(line).catch(() => {}); // it is gone: told where its end is awaited
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
        split: splitMessage,
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
          return this.#listener.accept(message);
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
    this.#lastMessageAt = performance.now();
    this.#hold(this.#quota.message(head.length + blobs.size, this.#limits));
    const message = decodeGuestMessage(head, blobs);
    if (message.type === "log") this.#hold(this.#quota.line(this.#limits));
    return message;
  }

  /** Ends it if it sent too much. @throws why it ended */
  #hold(tooMuch: string | undefined): void {
    if (tooMuch !== undefined) this.kill("output", tooMuch);
    if (this.#endError !== undefined) throw this.#endError;
  }

  /** Reads what was written past the socket, so that the process cannot wait for it for ever. */
  async #readStray(stream: ReadableStream<Uint8Array>, keep: boolean): Promise<void> {
    try {
      for await (const bytes of stream) {
        if (keep) this.#words.add(bytes);
        const tooMuch = this.#quota.stray(bytes.length);
        if (tooMuch !== undefined) this.kill("output", tooMuch);
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
    if (!this.alive) return await this.#over.promise; // it is dead, and how is yet to be told
    this.kill("crash", "hung up", cause);
  }

  async #awaitExit(): Promise<void> {
    const status = await this.#child.status;
    await this.#wordsRead; // its last words may still be in the pipe
    const fromOutside = !this.#killed && isKill(status, this.launch);
    const error = this.#words.errorOf(status, { fromOutside });
    this.#killedFromOutside = error.retryable;
    this.#end(error);
    this.#link?.close();
    await this.#control.close().catch(() => {}); // its reader is gone
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
