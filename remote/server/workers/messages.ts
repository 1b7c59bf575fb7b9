import type { MetricObjectWithValues, MetricValue } from "prom-client";
import type { Load } from "../places.ts";

/** A worker's metrics as data. */
export type MetricsData = MetricObjectWithValues<MetricValue<string>>[];

/** What a worker process asks the front. */
export type Question =
  | { kind: "admit"; caller: string; reservation: string }
  | { kind: "reserve"; caller: string; ttlMs: number }
  | { kind: "cpu"; caller: string; ms: number }
  | { kind: "load" };

/** What the front answers, by what was asked. */
export interface Answers {
  /** How many sessions the caller has; the session's place has the question's number. */
  admit: { sessions: number };
  reserve: { reservation: string; inUse: number };
  cpu: null;
  load: Load;
}

/** What a worker is told when its question cannot be answered well. */
export interface Refusal {
  message: string;
  code: number;
  retryable: boolean;
  retryAfterMs?: number;
}

/** What a worker uses and counts. */
export interface Report {
  metrics: MetricsData;
  rssBytes: number;
  cpuMs: number;
}

/** What a worker process tells the front. */
export type WorkerMessage =
  /** Connections may come. */
  | { type: "ready" }
  | { type: "ask"; id: number; question: Question }
  /** The session that was admitted by this question is over. */
  | { type: "release"; id: number }
  /** How many connections it has now. */
  | { type: "connections"; count: number }
  | { type: "report"; report: Report };

/**
 * What the front tells a worker process: a line of JSON each, on its standard input. The channel over which
 * a socket is handed over has nothing else on it in that direction: Deno 2.9.6 gives a socket to whichever
 * message comes first in what it reads at once, and so would lose one that has a message in front of it.
 */
export type FrontMessage =
  | { type: "answer"; id: number; answer: Answers[Question["kind"]] }
  | { type: "refusal"; id: number; refusal: Refusal }
  /** How many sessions a caller has in all workers. */
  | { type: "sessions"; caller: string; sessions: number }
  /** Asks for a report. */
  | { type: "report" }
  /** New sessions are to be refused. */
  | { type: "drain" }
  /** The worker is to end. */
  | { type: "close" };

/** What a worker is started with, in its environment. */
export interface WorkerSetup {
  /** Where the bundles of all workers are. */
  bundleDirectory?: string;
  /** How many workers there are. */
  count: number;
}

/** The environment variable that holds a {@linkcode WorkerSetup} as JSON. */
export const SETUP_VARIABLE = "REMOTEMEDIA_WORKER_SETUP";
