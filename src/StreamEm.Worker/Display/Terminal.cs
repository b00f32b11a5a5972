using Spectre.Console;

namespace StreamEm.Worker.Display;

/// <summary>Where tables and progress go: colours and cursor movements on a terminal only, plain lines of 160 columns elsewhere.</summary>
internal static class Terminal
{
    /// <summary>A console over a writer.</summary>
    public static IAnsiConsole For(TextWriter output)
    {
        bool terminal = IsTerminal(output);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        if (!terminal) console.Profile.Width = 160;
        return console;
    }

    /// <summary>Whether a writer is the terminal itself.</summary>
    public static bool IsTerminal(TextWriter output) =>
        (ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected)
            || (ReferenceEquals(output, Console.Error) && !Console.IsErrorRedirected);
}
