import type { NodeSpec } from "../../core/executor.ts";
import { PROTOCOL_VERSION, writeRequest, writeSpec } from "../wire/messages.ts";
import type { WindowLimits } from "./input_window.ts";
import type { ResumePoint } from "./output_side.ts";

/** What a session is opened with, beside its nodes. */
export interface OpenOptions {
  /** The same on all connections of the session. */
  session: string;
  /** The registered pipeline that runs instead of nodes; empty for none. */
  pipeline: string;
  limits: WindowLimits;
  reservation: string;
  /** Where it goes on, if it was open before. */
  resume: ResumePoint | undefined;
}

/** The message that opens a session. @throws {SerializationError} if an option of a node cannot travel */
export function writeOpen(
  specs: readonly NodeSpec[],
  { session, pipeline, limits, reservation, resume }: OpenOptions,
): Uint8Array {
  return writeRequest({
    case: "open",
    value: {
      protocolVersion: PROTOCOL_VERSION,
      segment: specs.map(writeSpec),
      pipeline,
      session,
      limits: {
        outputWindow: limits.chunks,
        inputWindow: limits.chunks,
        outputBytes: BigInt(limits.bytes),
      },
      reservation,
      ...(resume !== undefined && {
        resume: {
          inputSeq: BigInt(resume.inputSeq),
          outputSeq: BigInt(resume.outputSeq),
          states: resume.states,
        },
      }),
    },
  });
}
