import { ConfigurationError } from "../../core/errors.ts";
import { PROTOCOL_VERSION } from "../wire/messages.ts";

/** @throws {ConfigurationError} if a client speaks another version of the protocol */
export function checkVersion(version: number): void {
  if (version === PROTOCOL_VERSION) return;
  throw new ConfigurationError(
    `Cannot serve client as the server speaks protocol version ${PROTOCOL_VERSION}: ` +
      `current value is ${version}`,
  );
}
