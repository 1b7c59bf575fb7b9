import assert from "node:assert/strict";
import { Client, type ClientDuplexStream, credentials, status } from "@grpc/grpc-js";
import { SerializationError } from "../../core/errors.ts";
import { holdsChunks, readBatch } from "../../remote/wire/batch_reader.ts";
import { readExecute } from "../../remote/wire/execute_request.ts";
import { readRequest, readSpec, readStates } from "../../remote/wire/messages.ts";
import { mutate, randomOf, validExecute, validOpen, validRequests } from "./_mutate.ts";

/**
 * Reads mutated messages as a server does: each gives a message or a `SerializationError`, soon.
 *
 * @returns how many were read without a fault, and the longest time that one took, in ms
 */
export function fuzzDecoder(
  { seed, count }: { seed: number; count: number },
): { valid: number; longestMs: number } {
  const random = randomOf(seed);
  const seeds = [...validRequests, validExecute];
  let [valid, longestMs] = [0, 0];
  for (let round = 0; round < count; round++) {
    const bytes = mutate(seeds, random);
    const start = performance.now();
    try {
      decode(bytes, round % 20 === 0);
      valid++;
    } catch (error) {
      if (!(error instanceof SerializationError)) {
        assert.fail(`seed ${seed}, round ${round}, ${bytes.toHex()}: ${(error as Error).stack}`);
      }
    }
    longestMs = Math.max(longestMs, performance.now() - start);
  }
  return { valid, longestMs };
}

function decode(bytes: Uint8Array, asExecute: boolean): void {
  if (asExecute) {
    readExecute(bytes);
    return;
  }
  if (holdsChunks(bytes)) {
    readBatch(bytes);
    return;
  }
  const message = readRequest(bytes);
  if (message.case !== "open") return;
  message.value.segment.map(readSpec);
  readStates(message.value.resume?.states ?? []);
}

const same = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What a server may answer to a message that is not right; anything else is a fault of the server. */
const allowed: ReadonlySet<status> = new Set([
  status.OK,
  status.INVALID_ARGUMENT,
  status.RESOURCE_EXHAUSTED,
  status.UNKNOWN, // a node failed on a chunk that could be read
]);

/** Mutated messages of one call. */
const PER_CALL = 5;

/** Messages behind an `Open`: valid ones among those that are mutated, so that sessions get somewhere. */
function messagesOf(random: () => number): Uint8Array[] {
  const valid = validRequests.slice(1);
  return Array.from({ length: PER_CALL }, () => [
    ...Array.from({ length: Math.floor(random() * 4) }, () => {
      return valid[Math.floor(random() * valid.length)]!;
    }),
    mutate(validRequests, random),
  ]).flat();
}

/**
 * Sends mutated messages to a server, over sockets: each session and call ends with a clear status.
 *
 * @returns how many calls ended with which code
 */
export async function fuzzServer(
  { seed, count, address }: { seed: number; count: number; address: string },
): Promise<Record<string, number>> {
  const random = randomOf(seed);
  const client = new Client(address, credentials.createInsecure());
  const codes: Record<string, number> = {};
  const run = async (calls: number) => {
    for (let call = 0; call < calls; call++) {
      const code = call % 10 === 9
        ? await execute(client, mutate([validExecute], random))
        : await stream(client, messagesOf(random));
      assert.ok(allowed.has(code), `seed ${seed}: a call ended with ${status[code]}`);
      codes[status[code]!] = (codes[status[code]!] ?? 0) + 1;
    }
  };
  const LANES = 16;
  await Promise.all(Array.from({ length: LANES }, () => run(Math.ceil(count / PER_CALL / LANES))));
  client.close();
  return codes;
}

function stream(client: Client, messages: readonly Uint8Array[]): Promise<status> {
  const call: ClientDuplexStream<Uint8Array, Uint8Array> = client.makeBidiStreamRequest(
    "/remotemedia.v1.ExecutionService/Stream",
    same,
    (bytes) => bytes,
  );
  call.on("error", () => {}); // told by its status
  call.resume();
  call.write(validOpen);
  for (const message of messages) call.write(message);
  call.end();
  return new Promise((resolve) => call.on("status", ({ code }) => resolve(code)));
}

function execute(client: Client, request: Uint8Array): Promise<status> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/remotemedia.v1.ExecutionService/Execute",
      same,
      (bytes) => bytes,
      request,
      (error) => resolve(error?.code ?? status.OK),
    );
  });
}
