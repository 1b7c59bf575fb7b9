import type { DatabaseSync } from "node:sqlite";
import { ConfigurationError } from "../../../core/errors.ts";

/** What makes each version of the file from the one before it. Never changed once published, only added to. */
export const migrations: readonly string[] = [
  `CREATE TABLE pipelines (
     id INTEGER PRIMARY KEY,
     owner TEXT NOT NULL,
     name TEXT NOT NULL,
     version TEXT NOT NULL,
     description TEXT NOT NULL,
     manifest TEXT NOT NULL,
     public INTEGER NOT NULL,
     position INTEGER NOT NULL,
     registered_ms INTEGER NOT NULL,
     UNIQUE (owner, name, version)
   ) STRICT;`,
  `ALTER TABLE pipelines ADD COLUMN runs INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE pipelines ADD COLUMN errors INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE pipelines ADD COLUMN last_run_ms INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE pipelines ADD COLUMN last_error TEXT NOT NULL DEFAULT '';`,
  `CREATE TABLE bundles (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
   CREATE TABLE pipeline_bundles (
     pipeline INTEGER NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
     digest TEXT NOT NULL REFERENCES bundles (digest),
     PRIMARY KEY (pipeline, digest)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX bundle_users ON pipeline_bundles (digest);`,
];

/**
 * Brings a file to the newest version, each step whole or not at all. Several processes may do so at once.
 *
 * @throws {ConfigurationError} if the file was made by a newer version of this software
 */
export function migrate(database: DatabaseSync, path: string): void {
  while (true) {
    database.exec("BEGIN IMMEDIATE");
    try {
      const version = versionOf(database);
      if (version > migrations.length) {
        throw new ConfigurationError(
          `Cannot use ${path} as a newer version of this software made it: ` +
            `its form is ${version}, known is ${migrations.length}`,
        );
      }
      const step = migrations[version];
      if (step !== undefined) database.exec(`${step} PRAGMA user_version = ${version + 1}`);
      database.exec("COMMIT");
      if (step === undefined) return;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()!["user_version"]);
}
