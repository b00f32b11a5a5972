using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using StreamEm.Core.Catalog;
using StreamEm.Core.Models;
using StreamEm.Core.Settings;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem models</c>: the catalogue, with every setting, its default and its range.</summary>
public static class ModelsCommand
{
    /// <summary>Wide enough that no line of a table is broken where there is no terminal.</summary>
    private const int PlainWidth = 400;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "As a JSON array." };
        Command command = new("models", "Lists the kinds of models with their settings, defaults and ranges.") { json };
        command.SetAction(parsed =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) output.WriteLine(ToJson().ToJsonString(Indented));
            else WriteTables(output);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void WriteTables(TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (console.Profile.Out.IsTerminal)
        {
            WriteTables(console, TableBorder.Rounded);
            return;
        }

        using var plain = new StringWriter { NewLine = "\n" };
        console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(plain) });
        console.Profile.Width = PlainWidth;
        WriteTables(console, TableBorder.None);
        foreach (string line in plain.ToString().TrimEnd('\n').Split('\n')) output.WriteLine(line.TrimEnd());
    }

    private static void WriteTables(IAnsiConsole console, TableBorder border)
    {
        foreach (ModelEntry entry in ModelCatalog.Entries)
        {
            Table table = new() { Border = border };
            table.AddColumns("setting", "default", "expected", "description");
            object defaults = entry.CreateOptions();
            foreach (Setting setting in entry.Settings)
                table.AddRow(new Text(setting.Key), new Text(setting.Format(defaults)), new Text(setting.Expected),
                    new Text(setting.Description));
            console.Write(new Markup($"[bold]{Markup.Escape(entry.Type)}[/]: {Markup.Escape(entry.Description)}\n"));
            console.Write(table);
        }
    }

    private static JsonArray ToJson() => new([.. ModelCatalog.Entries.Select(entry => new JsonObject
    {
        ["type"] = entry.Type,
        ["description"] = entry.Description,
        ["settings"] = new JsonArray([.. entry.Settings.Select(setting => ToJson(setting, entry.CreateOptions()))]),
    })]);

    private static JsonObject ToJson(Setting setting, object defaults) => new()
    {
        ["key"] = setting.Key,
        ["default"] = setting.Format(defaults),
        ["expected"] = setting.Expected,
        ["description"] = setting.Description,
    };
}
