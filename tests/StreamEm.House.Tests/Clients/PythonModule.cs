using System.Globalization;
using System.Text;
using System.Text.Json;

namespace StreamEm.House.Tests.Clients;

/// <summary>
/// <c>clients/python/streamem/client.py</c>, made of the API's document: a type for every schema, a method for every call. How a call is
/// made over HTTP is written by hand in <c>connection.py</c>.
/// </summary>
internal sealed class PythonModule(JsonElement document)
{
    private const int Columns = 120;
    private const string Lines = "application/x-ndjson", Events = "text/event-stream", Json = "application/json";

    private const string Head = """"
        """Every call of a StreamEM worker. Made of docs/openapi.json by ./build.sh accept: what is changed here is lost."""

        from __future__ import annotations

        from collections.abc import Iterator
        from typing import TYPE_CHECKING, Any, Literal, TypedDict

        from .connection import LINES, Connection, Records, part

        if TYPE_CHECKING:
            from typing_extensions import NotRequired

        """";

    private const string Class = """"


        class Client(Connection):
            """A worker: ``Client("http://localhost:8080", token="...")``. An answer that is an error raises ``StreamEmError``."""

        """";

    private readonly StringBuilder _text = new();

    /// <summary>The module's text.</summary>
    public string Write()
    {
        _text.Append(Head);
        foreach (JsonProperty schema in document.GetProperty("components").GetProperty("schemas").EnumerateObject()
            .Where(schema => schema.Name != "ProblemDetails"))
            WriteType(schema.Name, schema.Value);
        _text.Append(Class);
        foreach (JsonProperty path in document.GetProperty("paths").EnumerateObject())
            foreach (JsonProperty call in path.Value.EnumerateObject())
                WriteMethod(new PythonCall(path.Name, call.Name.ToUpperInvariant(), call.Value));
        return _text.ToString();
    }

    /// <summary>The type of a value, as Python has it.</summary>
    internal static string TypeOf(JsonElement schema)
    {
        if (schema.TryGetProperty("$ref", out JsonElement reference)) return reference.GetString()!.Split('/')[^1];
        foreach (string either in (string[])["oneOf", "anyOf"])
            if (schema.TryGetProperty(either, out JsonElement options)) return Union(options.EnumerateArray().Select(TypeOf));
        if (schema.TryGetProperty("enum", out JsonElement words))
            return $"Literal[{string.Join(", ", words.EnumerateArray().Select(word => $"\"{word.GetString()}\""))}]";
        if (!schema.TryGetProperty("type", out JsonElement type)) return "Any";
        return type.ValueKind == JsonValueKind.Array
            ? Union(type.EnumerateArray().Select(one => Named(one.GetString()!, schema)))
            : Named(type.GetString()!, schema);
    }

    private static string Named(string type, JsonElement schema) => type switch
    {
        "string" => "str",
        "integer" => "int",
        "number" => "float",
        "boolean" => "bool",
        "null" => "None",
        "array" => $"list[{(schema.TryGetProperty("items", out JsonElement items) ? TypeOf(items) : "Any")}]",
        _ => schema.TryGetProperty("additionalProperties", out JsonElement values) && values.ValueKind == JsonValueKind.Object
            ? $"dict[str, {TypeOf(values)}]"
            : "dict[str, Any]",
    };

    /// <summary>None comes last.</summary>
    private static string Union(IEnumerable<string> types) =>
        string.Join(" | ", types.Distinct(StringComparer.Ordinal).OrderBy(type => type == "None" ? 1 : 0));

    private static string? Said(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement text) ? text.GetString() : null;

    private void Line(string line = "") => _text.Append(line.TrimEnd()).Append('\n');

    private void WriteType(string name, JsonElement schema)
    {
        HashSet<string> required = schema.TryGetProperty("required", out JsonElement names)
            ? [.. names.EnumerateArray().Select(one => one.GetString()!)]
            : [];
        (string Name, string Type, string? Said)[] members = [.. schema.GetProperty("properties").EnumerateObject().Select(member =>
        {
            string type = TypeOf(member.Value);
            return (member.Name, required.Contains(member.Name) ? type : $"NotRequired[{type}]", Said(member.Value, "description"));
        })];
        Line();
        Line();
        // A member whose name is a word of Python's cannot be one of a class.
        bool isCall = members.Any(member => PythonCall.IsReserved(member.Name));
        if (isCall)
        {
            foreach (string line in Wrapped(Said(schema, "description") ?? name, 0)) Line($"# {line}");
            Line($"{name} = TypedDict(");
            Line($"    \"{name}\",");
            Line("    {");
        }
        else
        {
            Line($"class {name}(TypedDict):");
            WriteDocstring(4, Said(schema, "description") ?? name, []);
            Line();
        }

        foreach ((string member, string type, string? said) in members)
        {
            string indent = isCall ? "        " : "    ";
            if (said is not null)
                foreach (string line in Wrapped(said, indent.Length + 2)) Line($"{indent}# {line}");
            Line(isCall ? $"{indent}\"{member}\": \"{type.Replace("\"", "'", StringComparison.Ordinal)}\"," : $"{indent}{member}: {type}");
        }

        if (!isCall) return;
        Line("    },");
        Line(")");
    }

    private void WriteMethod(PythonCall call)
    {
        Line();
        string[] parameters = [.. call.Signature];
        string answer = call.AnswerType, whole = $"    def {call.Name}({string.Join(", ", parameters)}) -> {answer}:";
        if (whole.Length <= Columns) Line(whole);
        else
        {
            Line($"    def {call.Name}(");
            foreach (string parameter in parameters) Line($"        {parameter},");
            Line($"    ) -> {answer}:");
        }

        WriteDocstring(8, call.Summary, [.. call.Texts]);
        string[] arguments = [.. call.Arguments];
        string line = $"        return self.{call.Helper}({string.Join(", ", arguments)})";
        if (line.Length <= Columns)
        {
            Line(line);
            return;
        }

        Line($"        return self.{call.Helper}(");
        foreach (string argument in arguments)
        {
            int open = argument.IndexOf("={", StringComparison.Ordinal);
            bool isLong = open >= 0 && 13 + argument.Length > Columns;
            if (!isLong) Line($"            {argument},");
            else
            {
                Line($"            {argument[..(open + 2)]}");
                foreach (string member in argument[(open + 2)..^1].Split(", ")) Line($"                {member},");
                Line("            },");
            }
        }

        Line("        )");
    }

    /// <summary>A text, and paragraphs after it; a paragraph's further lines are indented where it is of a parameter.</summary>
    private void WriteDocstring(int indent, string summary, string[] paragraphs)
    {
        string blanks = new(' ', indent);
        string[] first = [.. Wrapped(Sentence(summary), indent + 6)];
        if (first.Length == 1 && paragraphs.Length == 0)
        {
            Line($"{blanks}\"\"\"{first[0]}\"\"\"");
            return;
        }

        Line($"{blanks}\"\"\"{first[0]}");
        foreach (string line in first[1..]) Line(blanks + line);
        bool wasParameter = false;
        foreach (string paragraph in paragraphs)
        {
            bool isParameter = paragraph.StartsWith(":param ", StringComparison.Ordinal);
            if (!isParameter || !wasParameter) Line();
            wasParameter = isParameter;
            string[] lines = [.. Wrapped(paragraph, indent + (isParameter ? 4 : 0))];
            for (int at = 0; at < lines.Length; at++) Line($"{blanks}{(isParameter && at > 0 ? "    " : "")}{lines[at]}");
        }

        Line($"{blanks}\"\"\"");
    }

    private static string Sentence(string text) => text.EndsWith('.') ? text : $"{text}.";

    private static IEnumerable<string> Wrapped(string text, int indent)
    {
        var line = new StringBuilder();
        foreach (string word in text.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line.Length > 0 && indent + line.Length + 1 + word.Length > Columns)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(CultureInfo.InvariantCulture, $"{(line.Length > 0 ? " " : "")}{word}");
        }

        if (line.Length > 0) yield return line.ToString();
    }

    /// <summary>Which answer of a call is the one that is meant, and in which form it comes.</summary>
    internal static (string Form, JsonElement Schema) AnswerOf(JsonElement call)
    {
        JsonElement content = call.GetProperty("responses").EnumerateObject()
            .First(answer => answer.Name.StartsWith('2') && answer.Value.TryGetProperty("content", out _)).Value.GetProperty("content");
        foreach (string form in (string[])[Events, Lines, Json])
            if (content.TryGetProperty(form, out JsonElement found)) return (form, found.GetProperty("schema"));
        JsonProperty other = content.EnumerateObject().First();
        return (other.Name, other.Value.GetProperty("schema"));
    }
}
