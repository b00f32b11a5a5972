using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem schema</c>: the JSON Schema of a configuration, for editors.</summary>
public static class SchemaCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        Command command = new("schema", "Prints the JSON Schema of a configuration, for editors that know YAML.");
        command.SetAction(parsed =>
        {
            JsonObject schema = ConfigurationLoader.Schema();
            parsed.InvocationConfiguration.Output.WriteLine(schema.ToJsonString(Indented));
            return ExitCode.Ok;
        });
        return command;
    }
}
