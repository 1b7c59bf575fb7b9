import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { status } from "@grpc/grpc-js";
import { ConfigurationError, messageOf, RemoteError } from "../../../core/errors.ts";
import { migrate } from "./migrations.ts";

/** A version of a pipeline as it is kept. */
export interface StoredPipeline {
  id: number;
  owner: string;
  name: string;
  /** The SHA-256 of `manifest`, in hex. */
  version: string;
  description: string;
  isPublic: boolean;
  isNewest: boolean;
  registeredMs: number;
  runs: number;
  errors: number;
  /** 0 for never. */
  lastRunMs: number;
  lastError: string;
}

/** Which pipelines are asked for. */
export interface PipelineQuery {
  owner?: string;
  name?: string;
  /** The first digits of the version. */
  version?: string;
}

/** A version to keep. */
export interface NewPipeline
  extends Pick<StoredPipeline, "owner" | "name" | "version" | "description" | "isPublic"> {
  /** As JSON. */
  manifest: string;
  /** The bundles of its modules, by digest. */
  bundles: ReadonlyMap<string, Uint8Array>;
}

/** How many versions are told at the most. */
export const MAX_LISTED = 10_000;

/**
 * How long a file may be locked by another process, in ms. All sessions of this one wait as long, so it is little
 * more than writing takes.
 */
const MAX_LOCKED_MS = 1_000;

/** The longest error that is kept, in UTF-16 units. */
const MAX_ERROR = 500;

const columns = `p.id, p.owner, p.name, p.version, p.description, p.public, p.registered_ms, p.runs,
  p.errors, p.last_run_ms, p.last_error, p.position = (SELECT max(position) FROM pipelines AS other
    WHERE other.owner = p.owner AND other.name = p.name) AS newest`;

/**
 * Pipelines in a SQLite file. Several processes may use one file. What is registered is on the disk when the
 * call returns; counts survive the death of the process, but the last of them not that of the machine.
 */
export class PipelineStore implements Disposable {
  readonly #database: DatabaseSync;

  /**
   * Opens the file, and brings it to the newest form; makes it where there is none.
   *
   * @param path of the file; `:memory:` for none
   * @throws {ConfigurationError} if it cannot be opened, is none, or a newer version made it
   */
  constructor(path: string) {
    try {
      this.#database = new DatabaseSync(path);
      this.#database.exec(
        `PRAGMA busy_timeout = ${MAX_LOCKED_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON`,
      );
      migrate(this.#database, path);
    } catch (cause) {
      if (cause instanceof ConfigurationError) throw cause;
      throw new ConfigurationError(`Cannot keep pipelines in ${path}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /** The versions that are asked for: by owner, name, and the newest first. */
  find({ owner, name, version }: PipelineQuery): StoredPipeline[] {
    const rows = told("look for pipelines", () =>
      this.#database.prepare(
        `SELECT ${columns} FROM pipelines AS p
       WHERE (:owner IS NULL OR owner = :owner) AND (:name IS NULL OR name = :name)
         AND (:version IS NULL OR substr(version, 1, length(:version)) = :version)
       ORDER BY owner, name, position DESC LIMIT ${MAX_LISTED}`,
      ).all({
        ":owner": owner ?? null,
        ":name": name ?? null,
        ":version": version ?? null,
      }));
    return rows.map(toPipeline);
  }

  /** The manifest of a version, as JSON. */
  manifest({ id }: StoredPipeline): string {
    return String(
      this.#database.prepare("SELECT manifest FROM pipelines WHERE id = ?").get(id)?.["manifest"],
    );
  }

  /** A bundle that a kept pipeline needs. */
  bundle(digest: string): Uint8Array<ArrayBuffer> | undefined {
    const row = this.#database.prepare("SELECT bytes FROM bundles WHERE digest = ?").get(digest);
    return row?.["bytes"] as Uint8Array<ArrayBuffer> | undefined;
  }

  /** How much an owner keeps. */
  usageOf(owner: string): { versions: number; bundleBytes: number } {
    const row = told("look for pipelines", () =>
      this.#database.prepare(
        `SELECT (SELECT count(*) FROM pipelines WHERE owner = :owner) AS versions,
         (SELECT coalesce(sum(length(bytes)), 0) FROM bundles WHERE digest IN
           (SELECT digest FROM pipeline_bundles JOIN pipelines ON pipeline = id WHERE owner = :owner)
         ) AS bytes`,
      ).get({ ":owner": owner })!);
    return { versions: Number(row["versions"]), bundleBytes: Number(row["bytes"]) };
  }

  /** Keeps a version, which is then the newest of its name. Gives whether it was not there before. */
  put(pipeline: NewPipeline): boolean {
    const { owner, name, version, description, manifest, isPublic, bundles } = pipeline;
    return this.#durably(() => {
      const before = this.find({ owner, name, version }).length;
      const { id } = this.#database.prepare(
        `INSERT INTO pipelines (owner, name, version, description, manifest, public, position, registered_ms)
         VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM pipelines), ?)
         ON CONFLICT DO UPDATE SET public = excluded.public, position = excluded.position,
           registered_ms = excluded.registered_ms
         RETURNING id`,
      ).get(owner, name, version, description, manifest, isPublic ? 1 : 0, Date.now())!;
      for (const [digest, bytes] of bundles) {
        this.#database.prepare("INSERT OR IGNORE INTO bundles VALUES (?, ?)").run(digest, bytes);
        this.#database.prepare("INSERT OR IGNORE INTO pipeline_bundles VALUES (?, ?)")
          .run(id!, digest);
      }
      return before === 0;
    });
  }

  /** Forgets versions, and the bundles that no other needs. */
  remove(pipelines: readonly StoredPipeline[]): void {
    this.#durably(() => {
      const one = this.#database.prepare("DELETE FROM pipelines WHERE id = ?");
      for (const { id } of pipelines) one.run(id);
      this.#database.exec(
        "DELETE FROM bundles WHERE digest NOT IN (SELECT digest FROM pipeline_bundles)",
      );
    });
  }

  /** A run of a version begins. */
  began({ id }: StoredPipeline): void {
    this.#database.prepare("UPDATE pipelines SET runs = runs + 1, last_run_ms = ? WHERE id = ?")
      .run(Date.now(), id);
  }

  /** A run of a version failed. */
  failed({ id }: StoredPipeline, why: string): void {
    this.#database.prepare(
      "UPDATE pipelines SET errors = errors + 1, last_error = ? WHERE id = ?",
    ).run(why.slice(0, MAX_ERROR), id);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** Whole or not at all, and on the disk when it returns. */
  #durably<T>(change: () => T): T {
    return told("keep pipelines", () => {
      try {
        this.#database.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
        const result = change();
        this.#database.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK"); // SQLite may have done so itself
        throw error;
      } finally {
        this.#database.exec("PRAGMA synchronous = NORMAL");
      }
    });
  }
}

/** @throws {RemoteError} what SQLite throws: that the file is locked may be over soon, else it is the server's fault */
function told<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "ERR_SQLITE_ERROR") throw cause;
    const isLocked = / is locked$/.test(messageOf(cause)); // Deno 2.9.6 tells no number here
    throw new RemoteError(`The server cannot ${what}: ${messageOf(cause)}`, {
      code: isLocked ? status.UNAVAILABLE : status.INTERNAL,
      retryable: isLocked,
      cause,
    });
  }
}

function toPipeline(row: Record<string, SQLOutputValue>): StoredPipeline {
  return {
    id: Number(row["id"]),
    owner: String(row["owner"]),
    name: String(row["name"]),
    version: String(row["version"]),
    description: String(row["description"]),
    isPublic: row["public"] === 1,
    isNewest: row["newest"] === 1,
    registeredMs: Number(row["registered_ms"]),
    runs: Number(row["runs"]),
    errors: Number(row["errors"]),
    lastRunMs: Number(row["last_run_ms"]),
    lastError: String(row["last_error"]),
  };
}
