import { Argument, Command } from "commander";
import { settingsHelp } from "../remote/server/config.ts";
import { registry } from "./manifest_file.ts";
import { print } from "./output.ts";

/** `remotemedia completions`. */
export function completionsCommand(program: Command): Command {
  return new Command("completions")
    .description(
      "A script that completes commands and options: source <(remotemedia completions bash)",
    )
    .addArgument(new Argument("<shell>", "Which shell").choices(["bash", "zsh", "fish"]))
    .action((shell: string) => {
      const places = placesOf(program);
      if (shell === "fish") print(fish(places));
      else {print(
          `${shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}${
            bash(places)
          }`,
        );}
    });
}

/** What may be written after a command. */
interface Place {
  /** The commands so far: none, `run`, or `remote run`; the other ways to say it after it. */
  paths: string[];
  /** What may be the next word; else files. */
  words: { word: string; what: string }[];
  options: { flag: string; what: string; takesValue: boolean; choices: readonly string[] }[];
}

function placesOf(program: Command): Place[] {
  const inner = program.commands.flatMap((command) =>
    command.commands.map((each) => placeOf(each, [`${command.name()} ${each.name()}`]))
  );
  const outer = program.commands.map((each) => placeOf(each, [each.name(), ...each.aliases()]));
  return [placeOf(program, [""]), ...outer, ...inner];
}

function placeOf(command: Command, paths: string[]): Place {
  const words = paths[0] === "nodes show"
    ? registry.types.map((type) => ({ word: type, what: "" }))
    : command.commands.length > 0
    ? command.commands.flatMap((each) =>
      [each.name(), ...each.aliases()].map((word) => ({ word, what: each.description() }))
    )
    : (command.registeredArguments[0]?.argChoices ?? []).map((word) => ({ word, what: "" }));
  const options = command.createHelp().visibleOptions(command).flatMap((option) =>
    option.long === undefined || option.long === null ? [] : [{
      flag: option.long,
      what: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    }]
  );
  if (paths[0] !== "serve") return { paths, words, options };
  const settings = settingsHelp().map(({ flag, description, isSwitch }) => ({
    flag,
    what: description,
    takesValue: !isSwitch,
    choices: [],
  }));
  const others = [["--config", true], ["--print-config", false], ["--help", false]] as const;
  const more = others.map(([flag, takesValue]) => ({ flag, what: "", takesValue, choices: [] }));
  return { paths, words, options: [...options, ...settings, ...more] };
}

/** Options where a dash begins the word, else commands where one may stand, else files. */
function bash(places: readonly Place[]): string {
  const groups = places.filter(({ paths }) => places.some((each) => isInside(each, paths[0]!)));
  const cases = places.map(({ paths, words, options }) =>
    `    ${paths.map((path) => `"${path}"`).join("|")}) words="${
      words.map(({ word }) => word).join(" ")
    }" options="${options.map(({ flag }) => flag).join(" ")}";;`
  );
  const choices = places.flatMap(({ paths, options }) =>
    options.filter(({ choices }) => choices.length > 0).flatMap(({ flag, choices }) =>
      paths.map((path) => `    "${path} ${flag}") words="${choices.join(" ")}" at=$COMP_CWORD;;`)
    )
  );
  return `_remotemedia() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="\${COMP_WORDS[1]}" at=2 words="" options=""
  [ "$COMP_CWORD" -eq 1 ] && path="" at=1
  case "$path" in
    ${
    groups.map(({ paths }) => paths[0]).join("|")
  }) [ "$COMP_CWORD" -gt 2 ] && path="$path \${COMP_WORDS[2]}" at=3;;
  esac
  case "$path" in
${cases.join("\n")}
  esac
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${choices.join("\n")}
  esac
  [ "$COMP_CWORD" -eq "$at" ] || words=""
  case "$current" in -*) words="$options";; esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _remotemedia remotemedia`;
}

function fish(places: readonly Place[]): string {
  return places.flatMap((place) => {
    const { paths, words, options } = place;
    const [first, second] = paths[0]!.split(" ");
    const groups = places.filter(({ paths }) => places.some((each) => isInside(each, paths[0]!)))
      .map(({ paths }) => paths[0]!).filter((name) => name !== first);
    const inside = places.filter((each) => isInside(each, paths[0]!))
      .map(({ paths }) => paths[0]!.split(" ")[1]!);
    const seen = (names: readonly string[]) => `__fish_seen_subcommand_from ${names.join(" ")}`;
    const condition = first === ""
      ? "__fish_use_subcommand"
      : second !== undefined
      ? `${seen([first!])}; and ${seen([second])}`
      : [
        seen(paths),
        ...(groups.length > 0 ? [`not ${seen(groups)}`] : []),
        ...(inside.length > 0 ? [`not ${seen(inside)}`] : []),
      ].join("; and ");
    const start = `complete -c remotemedia -n ${quoted(condition)}`;
    return [
      ...words.map(({ word, what }) => `${start} -f -a ${word} -d ${quoted(what)}`),
      ...options.map(({ flag, what, takesValue, choices }) => {
        const value = choices.length > 0
          ? ` -x -a ${quoted(choices.join(" "))}`
          : takesValue
          ? " -r"
          : "";
        return `${start} -l ${flag.slice(2)}${value} -d ${quoted(what)}`;
      }),
    ];
  }).join("\n");
}

/** Whether a place is that of a command of another. */
function isInside({ paths }: Place, group: string): boolean {
  return group !== "" && paths[0]!.startsWith(`${group} `);
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
