import { ToolProcess } from "../../io/ffmpeg/tool.ts";

/** Graphs that are known to be right. */
const known = new Set<string>();

/** How many are remembered. */
const MOST_KNOWN = 256;

/** A format that there is not: where ffmpeg asks for it, it has read and made the graph. */
const NO_FORMAT = "graph-is-right";

/**
 * Asks ffmpeg whether it can make a graph, whatever frames come: its syntax, filters and their options. Each
 * is asked once.
 *
 * @throws {MediaError} with ffmpeg's own words, if it cannot
 */
export async function checkGraph(
  kind: "audio" | "video",
  graph: string,
  { action, signal }: { action: string; signal: AbortSignal },
): Promise<void> {
  const key = `${kind} ${graph}`;
  if (known.has(key)) return;
  const source = kind === "audio" ? "anullsrc" : "nullsrc";
  const args = ["-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info"];
  args.push(
    "-f",
    "lavfi",
    "-i",
    source,
    "-filter_complex",
    unlabelled(graph),
    "-f",
    NO_FORMAT,
    "-",
  );
  const tool = ToolProcess.start("ffmpeg", args, { action, stdin: false, stdout: false });
  const kill = () => void tool.kill();
  signal.addEventListener("abort", kill, { once: true });
  try {
    await tool.finish().catch(() => {}); // it always fails: what it said tells why
    signal.throwIfAborted();
    const said = faultIn(tool);
    if (said !== undefined) throw tool.failure(`ffmpeg says of the graph "${graph}": ${said}`);
    if (known.size >= MOST_KNOWN) known.clear();
    known.add(key);
  } finally {
    signal.removeEventListener("abort", kill);
    await tool.kill();
  }
}

/** What is wrong with the graph, the first thing that was said of it first. */
function faultIn({ log }: ToolProcess): string | undefined {
  if (log.find(new RegExp(`'${NO_FORMAT}'|${NO_FORMAT} is not`)) !== undefined) return;
  return log.faults ?? log.lastWord;
}

/** The graph without the labels that a graph with one input and one output may have at its ends. */
function unlabelled(graph: string): string {
  return graph.replace(/^\s*\[in\]/, "").replace(/\[out\]\s*$/, "");
}
