import { Argument, Command } from "commander";
import { print } from "./output.ts";

/** `remotemedia completions`. */
export function completionsCommand(program: Command): Command {
  return new Command("completions")
    .description(
      "A script that completes commands and options: source <(remotemedia completions bash)",
    )
    .addArgument(new Argument("<shell>", "Which shell").choices(["bash", "zsh", "fish"]))
    .action((shell: string) => {
      const commands = program.commands.map((command) => ({
        name: command.name(),
        description: command.description(),
        words: [
          ...command.commands.map((each) => each.name()),
          ...command.options.flatMap(({ long }) => long ?? []),
        ],
      }));
      if (shell === "fish") {
        print(
          commands.flatMap(({ name, description, words }) => [
            `complete -c remotemedia -n __fish_use_subcommand -a ${name} -d ${
              JSON.stringify(description)
            }`,
            `complete -c remotemedia -n "__fish_seen_subcommand_from ${name}" -a "${
              words.join(" ")
            }"`,
          ]).join("\n"),
        );
        return;
      }
      const cases = commands.map(({ name, words }) => `    ${name}) words="${words.join(" ")}";;`);
      print(
        `${shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}_remotemedia() {
  local words="${commands.map(({ name }) => name).join(" ")}"
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map(({ name }) => name).join(" ")}"
  COMPREPLY=($(compgen -W "$words" -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _remotemedia remotemedia`,
      );
    });
}
