/**
 * The first module of the Worker in a sandbox, and what a bundle gets as "@remotemedia/sdk". It is bundled
 * into `../gen/guest.js` by `../generate.ts`, so that a sandbox starts from one file.
 *
 * @module
 */

export * from "../gen/absent_names.ts";
export * from "./sdk.ts";

import { start } from "./start.ts";

await start();
