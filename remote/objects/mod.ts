/**
 * Modules, functions and objects that run elsewhere.
 *
 * @module
 */

export type {
  AnyArgs,
  AnyClass,
  AnyFunction,
  ByValue,
  MethodsOf,
  Remote,
  RemoteArgument,
  RemoteArguments,
  RemoteClass,
  RemoteMember,
  RemoteObject,
  RemoteResult,
  RemoteValue,
} from "./remote.ts";

export type { RemoteModule } from "./remote_module.ts";
