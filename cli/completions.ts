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
        words: wordsOf(command),
        inner: command.commands.map((each) => ({ name: each.name(), words: wordsOf(each) })),
      }));
      if (shell === "fish") {
        print(
          commands.flatMap(({ name, description, words, inner }) => [
            `complete -c remotemedia -n __fish_use_subcommand -a ${name} -d ${
              JSON.stringify(description)
            }`,
            `complete -c remotemedia -n "__fish_seen_subcommand_from ${name}" -a "${
              words.join(" ")
            }"`,
            ...inner.map((each) =>
              `complete -c remotemedia -n "__fish_seen_subcommand_from ${name}; and __fish_seen_subcommand_from ${each.name}" -a "${
                each.words.join(" ")
              }"`
            ),
          ]).join("\n"),
        );
        return;
      }
      const cases = commands.flatMap(({ name, words, inner }) => [
        ...inner.map((each) => `    "${name} ${each.name}") words="${each.words.join(" ")}";;`),
        `    "${name}"*) words="${words.join(" ")}";;`,
      ]);
      print(
        `${shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}_remotemedia() {
  local words="${commands.map(({ name }) => name).join(" ")}"
  case "\${COMP_WORDS[1]}\${COMP_WORDS[2]:+ \${COMP_WORDS[2]}}" in
${cases.join("\n")}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map(({ name }) => name).join(" ")}"
  COMPREPLY=($(compgen -W "$words" -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _remotemedia remotemedia`,
      );
    });
}

/** What may follow a command: its own commands and options. */
function wordsOf(command: Command): string[] {
  return [
    ...command.commands.map((each) => each.name()),
    ...command.options.flatMap(({ long }) => long ?? []),
  ];
}
