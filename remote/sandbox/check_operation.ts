import { SerializationError } from "../../core/errors.ts";
import { Fields } from "./_fields.ts";
import { maxPath, type Operation } from "./protocol.ts";

const MAX_NAME = 1024;
const MAX_CALLBACKS = 1000;

/**
 * An operation that a client asks for, checked; what its bytes hold is for the guest alone to decode.
 *
 * @throws {SerializationError} if it is none
 */
export function checkOperation(asked: unknown): Operation {
  if (typeof asked !== "object" || asked === null) throw fault();
  const { kind, target, path, args, callbacks, value, packed } = asked as Record<string, unknown>;
  if (!Number.isSafeInteger(target) || target as number < 0) throw fault();
  const at = { target: target as number };
  switch (kind) {
    case "apply":
    case "construct":
      return {
        kind,
        ...at,
        path: pathOf(path),
        args: bytesOf(args),
        callbacks: Fields.of([callbacks]).list(MAX_CALLBACKS, (callback) => {
          const { path: steps, id, target } = callback as Record<string, unknown>;
          if (Number.isSafeInteger(id)) return { path: stepsOf(steps), id: id as number };
          if (!Number.isSafeInteger(target)) throw fault();
          return { path: stepsOf(steps), target: target as number };
        }),
      };
    case "get":
      return { kind, ...at, path: pathOf(path) };
    case "set":
      return { kind, ...at, path: pathOf(path), value: bytesOf(value) };
    case "invoke":
      return { kind, ...at, path: pathOf(path), packed: bytesOf(packed) };
    case "next":
    case "return":
    case "release":
      return { kind, ...at };
    default:
      throw fault();
  }
}

function pathOf(path: unknown): string[] {
  return Fields.of([path]).list(maxPath, (step) => Fields.text(step, MAX_NAME));
}

function stepsOf(steps: unknown): (string | number)[] {
  return Fields.of([steps]).list(
    maxPath,
    (step) => typeof step === "number" ? step : Fields.text(step, MAX_NAME),
  );
}

function bytesOf(bytes: unknown): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw fault();
  return bytes;
}

function fault(): SerializationError {
  return new SerializationError("Cannot decode message as an operation is none");
}
