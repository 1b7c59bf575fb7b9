/** Builds the single binary of server and command line, `dist/remotemedia`. */
import { requiredDeno } from "../core/runtime.ts";

const output = "dist/remotemedia";
const { success, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["compile", "-A", "--include", "deno.json", "--output", output, "cli.ts"],
  stdout: "inherit",
  stderr: "piped",
}).output();
if (success) {
  console.log(`Built ${output}`);
} else {
  const text = new TextDecoder().decode(stderr);
  const isDownload = /download|denort|error sending request|dl\.deno\.land/i.test(text);
  console.error(
    isDownload
      ? `Cannot build ${output} as Deno ${requiredDeno} could not download the base binary that "deno compile" puts the program into: run this task where Deno's download host can be reached, or name a base binary in DENORT_BIN`
      : text.trim(),
  );
  Deno.exit(1);
}
