import config from "../deno.json" with { type: "json" };

/** The version of this software. */
export const version: string = config.version;
