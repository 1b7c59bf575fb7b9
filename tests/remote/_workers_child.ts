/** The server's own command line, with the test nodes: it can be killed, and so can its workers. */
import { runServer } from "../../remote/server/mod.ts";
import { testNodes } from "./_nodes.ts";
import { Computes } from "./_worker_nodes.ts";

Deno.exit(await runServer(Deno.args, { nodes: [...testNodes, Computes] }));
