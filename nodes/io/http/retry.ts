/** Statuses that another try may change (RFC 9110, RFC 6585). */
const passing = new Set([408, 425, 429, 502, 503, 504]);

/** Methods whose repetition changes nothing (RFC 9110, section 9.2.2). */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** The longest wait before another try, in ms. */
const MAX_WAIT_MS = 30_000;

/** Whether a request may be sent again after a status, or after none came. */
export function mayRetry(method: string, status: number | undefined): boolean {
  if (status === 429) return true; // it was refused, not begun
  return idempotent.has(method) && (status === undefined || passing.has(status));
}

/**
 * How long to wait before another try, in ms: what the server asks for, or a random share of a time that
 * doubles with each try, so that clients that failed together do not come back together.
 *
 * @param tries how many there were, from 1
 */
export function retryWaitMs(
  tries: number,
  { retryDelayMs, retryAfter }: { retryDelayMs: number; retryAfter: string | null },
): number {
  const asked = retryAfter === null ? NaN : askedMs(retryAfter);
  if (!Number.isNaN(asked)) return Math.min(Math.max(asked, 0), MAX_WAIT_MS);
  return Math.min(retryDelayMs * 2 ** (tries - 1), MAX_WAIT_MS) * (0.5 + Math.random() / 2);
}

/** The time of a `Retry-After` header: seconds or a date. */
function askedMs(retryAfter: string): number {
  return /^\d+$/.test(retryAfter.trim())
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.now();
}
