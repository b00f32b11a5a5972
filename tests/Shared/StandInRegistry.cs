using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace StreamEm.Tests.Shared;

/// <summary>
/// A schema registry in this process that speaks Confluent's HTTP interface as far as serializers and readers need it, and can be away,
/// ask for a password and forget.
/// </summary>
internal sealed class StandInRegistry : IDisposable
{
    private readonly HttpListener _listener;
    private readonly Lock _lock = new();
    private readonly List<JsonObject> _schemas = [];
    private readonly Dictionary<string, List<int>> _subjects = [];

    public StandInRegistry()
    {
        for (int attempt = 0; ; attempt++)
        {
            Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}");
            _listener = new HttpListener { Prefixes = { $"{Url}/" } };
            try
            {
                _listener.Start();
                break;
            }
            catch (HttpListenerException) when (attempt < 10)
            {
                _listener.Close();
            }
        }

        _ = Task.Run(ServeAsync);
    }

    /// <summary>Its address.</summary>
    public string Url { get; }

    /// <summary>Whether it answers 503 to everything.</summary>
    public bool IsAway { get; set; }

    /// <summary>Whether it is something else that answers 404 to everything.</summary>
    public bool IsOther { get; set; }

    /// <summary>What has to be in the header Authorization; null for nothing.</summary>
    public string? Authorization { get; set; }

    /// <summary>The paths it was asked for, in their order.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Registers a schema; the same text has the same number.</summary>
    public int Register(string subject, string schema, string type = "AVRO", params (string Name, string Subject, int Version)[] references)
    {
        lock (_lock)
        {
            int id = _schemas.FindIndex(known => (string)known["schema"]! == schema) + 1;
            if (id == 0)
            {
                _schemas.Add(new JsonObject { ["schema"] = schema, ["schemaType"] = type });
                id = _schemas.Count;
                if (references.Length > 0)
                    _schemas[id - 1]["references"] = new JsonArray([.. references.Select(reference => new JsonObject
                    {
                        ["name"] = reference.Name, ["subject"] = reference.Subject, ["version"] = reference.Version,
                    })]);
            }

            if (!_subjects.TryGetValue(subject, out List<int>? versions)) _subjects.Add(subject, versions = []);
            if (!versions.Contains(id)) versions.Add(id);
            return id;
        }
    }

    /// <summary>A message of the wire format.</summary>
    public static byte[] Message(int schema, params byte[] value) =>
        [0, (byte)(schema >> 24), (byte)(schema >> 16), (byte)(schema >> 8), (byte)schema, .. value];

    public void Dispose() => _listener.Close();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                (int status, JsonObject? answer) = await AnswerAsync(context.Request);
                context.Response.StatusCode = status;
                if (answer is not null) await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer.ToJsonString()));
                context.Response.Close();
            }
            catch (Exception ended) when (ended is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                if (!_listener.IsListening) return;
            }
        }
    }

    private async Task<(int Status, JsonObject? Answer)> AnswerAsync(HttpListenerRequest request)
    {
        string path = request.Url!.AbsolutePath;
        Asked.Enqueue(path);
        if (IsAway) return (503, null);
        if (IsOther) return (404, null);
        if (Authorization is { } expected && request.Headers["Authorization"] != expected)
            return (401, new JsonObject { ["error_code"] = 401, ["message"] = "Unauthorized" });
        string[] parts = [.. path.Trim('/').Split('/').Select(Uri.UnescapeDataString)];
        if (parts is ["schemas", "ids", var number]) return ById(int.Parse(number, CultureInfo.InvariantCulture));
        if (parts is ["subjects", var subject, "versions", var version]) return ByVersion(subject, version);
        if (parts is not ["subjects", var to, "versions"] || request.HttpMethod != "POST") return (404, null);
        using var reader = new StreamReader(request.InputStream);
        JsonNode body = JsonNode.Parse(await reader.ReadToEndAsync())!;
        int id = Register(to, (string)body["schema"]!, (string?)body["schemaType"] ?? "AVRO");
        return (200, new JsonObject { ["id"] = id });
    }

    private (int, JsonObject) ById(int id)
    {
        lock (_lock)
            return id >= 1 && id <= _schemas.Count ? (200, Shown(id)) : (404, Missing(40403));
    }

    private (int, JsonObject) ByVersion(string subject, string version)
    {
        lock (_lock)
        {
            if (!_subjects.TryGetValue(subject, out List<int>? versions)) return (404, Missing(40401));
            int at = version == "latest" ? versions.Count : int.Parse(version, CultureInfo.InvariantCulture);
            if (at < 1 || at > versions.Count) return (404, Missing(40402));
            JsonObject answer = Shown(versions[at - 1]);
            (answer["subject"], answer["version"], answer["id"]) = (subject, at, versions[at - 1]);
            return (200, answer);
        }
    }

    /// <summary>As the registry shows it: the type of Avro goes without saying.</summary>
    private JsonObject Shown(int id)
    {
        var answer = (JsonObject)_schemas[id - 1].DeepClone();
        if ((string)answer["schemaType"]! == "AVRO") answer.Remove("schemaType");
        return answer;
    }

    private static JsonObject Missing(int code) => new() { ["error_code"] = code, ["message"] = "not found" };
}
