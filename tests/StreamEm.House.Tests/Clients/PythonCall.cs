using System.Text.Json;
using System.Text.RegularExpressions;

namespace StreamEm.House.Tests.Clients;

/// <summary>One call of the API's document as a method: what it is given, what it sends and what it returns.</summary>
internal sealed partial class PythonCall
{
    private static readonly string[] Reserved = ["from", "class", "global", "import", "in", "is", "not", "or", "and", "if", "for", "with"];

    private readonly JsonElement _call;
    private readonly List<Given> _given = [];
    private readonly bool _takesRecords;

    public PythonCall(string path, string method, JsonElement call)
    {
        (_call, Name) = (call, call.GetProperty("operationId").GetString()!);
        if (call.TryGetProperty("parameters", out JsonElement parameters))
            foreach (JsonElement one in parameters.EnumerateArray()) Add(one);
        JsonElement body = call.TryGetProperty("requestBody", out JsonElement found) ? found.GetProperty("content") : default;
        _takesRecords = body.ValueKind == JsonValueKind.Object && body.TryGetProperty("application/x-ndjson", out _);
        if (body.ValueKind == JsonValueKind.Object && !_takesRecords)
            AddMembers(body.GetProperty("application/json").GetProperty("schema"));
        string written = InBraces().Replace(path, match =>
        {
            Given given = _given.Single(one => one.Place == "path" && one.Wire == match.Groups["name"].Value);
            return $"{{part({given.Name}{(given.KeepsSlashes ? ", '/'" : "")})}}";
        });
        (string form, JsonElement schema) = PythonModule.AnswerOf(call);
        string type = PythonModule.TypeOf(schema);
        (Helper, AnswerType) = form switch
        {
            "text/event-stream" => ("_events", $"Iterator[{type}]"),
            "application/x-ndjson" => ("_lines", $"Iterator[{type}]"),
            "application/json" => ("_json", type),
            _ => ("_text", "str"),
        };
        Arguments =
        [
            $"\"{method}\"", $"{(written.Contains('{', StringComparison.Ordinal) ? "f" : "")}\"{written}\"", .. Sent("query"),
            .. Sent("headers"), .. Sent("body"),
            .. (_takesRecords ? (string[])["records=records", "content_type=content_type"] : []),
        ];
    }

    /// <summary>What the method is called.</summary>
    public string Name { get; }

    /// <summary>The method of <c>Connection</c> that makes the call.</summary>
    public string Helper { get; }

    /// <summary>What that is given.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <summary>The type of what the method returns.</summary>
    public string AnswerType { get; }

    /// <summary>What it does, in a line.</summary>
    public string Summary => _call.GetProperty("summary").GetString()!;

    /// <summary>What is said beside that: of the call, of every parameter, of the answer.</summary>
    public IEnumerable<string> Texts
    {
        get
        {
            if (_call.TryGetProperty("description", out JsonElement description)) yield return description.GetString()!;
            foreach (Given one in _given.Where(one => one.Said is not null)) yield return $":param {one.Name}: {one.Said}";
            if (!_takesRecords) yield break;
            yield return ":param records: Mappings of fields; or a text or bytes as ``content_type`` says.";
            yield return ":param content_type: ``application/json``, ``application/x-ndjson`` or ``text/csv``.";
        }
    }

    /// <summary>The parameters as they are declared: what is needed first, then by name what is not.</summary>
    public IEnumerable<string> Signature
    {
        get
        {
            string[] needed = [.. _given.Where(one => one.IsRequired).Select(one => $"{one.Name}: {one.Type}")];
            string[] others = [.. _given.Where(one => !one.IsRequired).Select(one => $"{one.Name}: {Optional(one.Type)} = None")];
            if (_takesRecords) (needed, others) = ([.. needed, "records: Records"], [.. others, "content_type: str = LINES"]);
            return others.Length == 0 ? ["self", .. needed] : ["self", .. needed, "*", .. others];
        }
    }

    /// <summary>Whether a name is a word of Python's.</summary>
    public static bool IsReserved(string name) => Reserved.Contains(name, StringComparer.Ordinal);

    private static string Optional(string type) =>
        type == "Any" || type.EndsWith("None", StringComparison.Ordinal) ? type : $"{type} | None";

    private void Add(JsonElement parameter)
    {
        string wire = parameter.GetProperty("name").GetString()!, place = parameter.GetProperty("in").GetString()!;
        _given.Add(new Given(wire, NameOf(wire), place == "header" ? "headers" : place,
            PythonModule.TypeOf(parameter.GetProperty("schema")),
            parameter.TryGetProperty("description", out JsonElement said) ? said.GetString() : null,
            parameter.TryGetProperty("required", out JsonElement required) && required.GetBoolean(),
            parameter.TryGetProperty("allowReserved", out JsonElement kept) && kept.GetBoolean()));
    }

    /// <summary>The members of an object that is sent; one that may as well stand in the query is there already.</summary>
    private void AddMembers(JsonElement schema)
    {
        string[] required = schema.TryGetProperty("required", out JsonElement names)
            ? [.. names.EnumerateArray().Select(name => name.GetString()!)]
            : [];
        foreach (JsonProperty member in schema.GetProperty("properties").EnumerateObject())
        {
            if (_given.Any(one => one.Wire == member.Name)) continue;
            _given.Add(new Given(member.Name, NameOf(member.Name), "body", PythonModule.TypeOf(member.Value),
                member.Value.TryGetProperty("description", out JsonElement said) ? said.GetString() : null,
                required.Contains(member.Name, StringComparer.Ordinal), false));
        }
    }

    private IEnumerable<string> Sent(string place)
    {
        Given[] sent = [.. _given.Where(one => one.Place == place)];
        if (sent.Length > 0) yield return $"{place}={{{string.Join(", ", sent.Select(one => $"\"{one.Wire}\": {one.Name}"))}}}";
    }

    private static string NameOf(string wire)
    {
        string name = wire.Replace('-', '_').ToLowerInvariant();
        return IsReserved(name) ? $"{name}_" : name;
    }

    [GeneratedRegex("\\{(?<name>[^}]+)\\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex InBraces();

    private sealed record Given(string Wire, string Name, string Place, string Type, string? Said, bool IsRequired, bool KeepsSlashes);
}
