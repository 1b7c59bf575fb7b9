/** One stage of a Dockerfile. */
export interface Stage {
  image: string;
  name: string;
  /** Its instructions in their order, with what follows each on one line. */
  instructions: { word: string; rest: string }[];
}

/** What a Dockerfile says. Enough of its language for ours. */
export function parseDockerfile(text: string): Stage[] {
  const lines = text.replaceAll(/^\s*#.*\n/gm, "").replaceAll(/\\\n/g, " ").split("\n");
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, word, rest] = /^(\S+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (word === undefined) continue;
    if (word === "FROM") {
      const [image, , name = ""] = rest!.split(/\s+/);
      stages.push({ image: image!, name, instructions: [] });
    } else stages.at(-1)!.instructions.push({ word, rest: rest!.replaceAll(/\s+/g, " ") });
  }
  return stages;
}

/** All that follows one word in a stage. */
export function valuesOf({ instructions }: Stage, word: string): string[] {
  return instructions.filter((instruction) => instruction.word === word).map(({ rest }) => rest);
}

/** A command in Docker's JSON form, as in `ENTRYPOINT ["deno", "run"]`. */
export function commandOf(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf("["))) as string[];
}

/** What is copied from the project: each source, and where it goes. */
export function copiesOf(stage: Stage): { source: string; target: string }[] {
  return valuesOf(stage, "COPY").filter((rest) => !rest.startsWith("--from")).flatMap((rest) => {
    const words = rest.split(" ");
    const target = words.pop()!;
    return words.map((source) => ({ source, target }));
  });
}
