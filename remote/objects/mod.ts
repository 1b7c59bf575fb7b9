/**
 * Modules, functions and objects that run elsewhere.
 *
 * @module
 */

export type {
  Remote,
  RemoteClass,
  RemoteMember,
  RemoteObject,
  RemoteResult,
  RemoteValue,
} from "./remote.ts";

export { type RemoteModule, remoteModule } from "./remote_module.ts";
