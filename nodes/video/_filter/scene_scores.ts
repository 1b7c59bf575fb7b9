import type { VideoFrame } from "../../../core/frames/video_frame.ts";
import type { NodeContext } from "../../../core/node.ts";
import { inputArgs } from "./line.ts";
import { PictureTool } from "./picture_tool.ts";
import { everyPictureArgs } from "./rate.ts";
import type { ToolParser } from "./tool_run.ts";

/** How different pictures are from the ones before: ffmpeg's scene score, 0 to 1. */
export class SceneScores {
  readonly #tool: PictureTool<number>;
  readonly #kept: VideoFrame[];
  #isFirst: boolean;

  private constructor(tool: PictureTool<number>, kept: readonly VideoFrame[]) {
    this.#tool = tool;
    this.#kept = [...kept];
    this.#isFirst = kept.length === 0;
  }

  /** @param kept the pictures from which to go on */
  static async open(
    context: NodeContext,
    kept: readonly VideoFrame[] = [],
  ): Promise<SceneScores> {
    const rate = await everyPictureArgs();
    const args = [
      ...[...inputArgs, "-map", "0:v", "-vf", scoreGraph],
      ...[...rate, "-threads", "1", "-f", "null", "-"],
    ];
    const action = `find scenes in ${context.name}`;
    const tool = new PictureTool(() => ({ action, args, parser: new ScoreParser() }), context);
    for (const frame of kept) await tool.run(frame);
    return new SceneScores(tool, kept);
  }

  /** The pictures of which the next score depends: the last two. */
  get kept(): readonly VideoFrame[] {
    return this.#kept;
  }

  /** The score of a picture; 1 for the first, or one of another shape; `undefined` if it was dropped meanwhile. */
  async of(frame: VideoFrame): Promise<number | undefined> {
    const isNew = this.#isFirst || !this.#goesOn(frame);
    this.#isFirst = false;
    if (isNew) this.#kept.length = 0;
    this.#kept.push(frame);
    if (this.#kept.length > 2) this.#kept.shift();
    const score = await this.#tool.run(frame);
    return isNew && score !== undefined ? 1 : score;
  }

  /** Forgets what was. */
  drop(): void {
    this.#tool.drop();
    this.#kept.length = 0;
    this.#isFirst = true;
  }

  /** Resolves when no process is left. */
  close(): Promise<void> {
    return this.#tool.close();
  }

  #goesOn(frame: VideoFrame): boolean {
    return this.#tool.accepts(frame);
  }
}

/** Writes a line with the score of each picture, at once. */
const scoreGraph = "select=gte(scene\\,0),metadata=mode=print:" +
  "key=lavfi.scene_score:file=-:direct=1";

/** Reads the lines. */
class ScoreParser implements ToolParser<number> {
  readonly #decoder = new TextDecoder();
  #rest = "";

  get isInside(): boolean {
    return this.#rest !== "";
  }

  push(piece: Uint8Array): number[] {
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    return lines.filter((line) => line.startsWith("lavfi.scene_score="))
      .map((line) => Number(line.slice(line.indexOf("=") + 1)));
  }
}
