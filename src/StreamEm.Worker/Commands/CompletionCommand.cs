using System.CommandLine;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem completion bash | zsh | fish</c>: a script that has the shell ask the executable itself what may come next, so that it
/// knows every verb and option of the version that is installed. <c>completion man</c> is the manual page.
/// </summary>
public static class CompletionCommand
{
    private const string Bash = """
        # bash completion of streamem: source it, or put it into /usr/share/bash-completion/completions/streamem
        _streamem() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _streamem streamem
        """;

    private const string Zsh = """
        #compdef streamem
        # zsh completion of streamem: put it into a folder of $fpath as _streamem
        _streamem() {
          local line="${words[1,CURRENT]}"
          local -a found
          found=("${(@f)$(${words[1]} "[suggest:${#line}]" "$line" 2>/dev/null)}")
          found=(${found:#})
          if (( ${#found} )); then compadd -- $found; else _files; fi
        }
        if [ "$funcstack[1]" = "_streamem" ]; then _streamem "$@"; else compdef _streamem streamem; fi
        """;

    private const string Fish = """
        # fish completion of streamem: put it into ~/.config/fish/completions/streamem.fish
        function __streamem_complete
          set -l line (commandline -cp)
          streamem "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c streamem -a '(__streamem_complete)'
        """;

    private static readonly (string Name, Func<Command, string> Text)[] Kinds =
        [("bash", _ => Bash), ("zsh", _ => Zsh), ("fish", _ => Fish), ("man", ManualPage.Of)];

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish; man is the manual page." };
        shell.AcceptOnlyFromAmong([.. Kinds.Select(kind => kind.Name)]);
        Command command = new("completion", "Prints what a shell needs to complete verbs and options, or the manual page.") { shell };
        command.SetAction(parsed =>
        {
            string name = parsed.GetRequiredValue(shell);
            parsed.InvocationConfiguration.Output.WriteLine(
                Kinds.First(kind => kind.Name == name).Text(parsed.RootCommandResult.Command).ReplaceLineEndings("\n").TrimEnd());
            return ExitCode.Ok;
        });
        return command;
    }
}
