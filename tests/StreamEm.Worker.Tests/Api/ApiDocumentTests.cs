using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Json.Schema;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace StreamEm.Worker.Tests.Api;

/// <summary>The API's document against the endpoints: what they take and what they answer.</summary>
public sealed partial class ApiDocumentTests
{
    private const string Json = "application/json", Lines = "application/x-ndjson";
    private const string Records = """{"records": [{"x": 1, "y": 2}, {"x": "?"}]}""";

    /// <summary>Calls of a model that has learned, in an order in which each can be answered.</summary>
    private static readonly (string Method, string Path, string Url, string? Body, string Accept)[] Asked =
    [
        ("get", "/livez", "/livez", null, "text/plain"), ("get", "/readyz", "/readyz?model=clouds", null, Json),
        ("get", "/startupz", "/startupz", null, Json), ("get", "/version", "/version", null, Json),
        ("get", "/metrics", "/metrics", null, "text/plain"), ("get", "/v1/models", "/v1/models", null, Json),
        ("get", "/v1/models/{id}", "/v1/models/clouds?min_version=10", null, Json),
        ("get", "/v1/models/{id}", "/v1/models/clouds?min_version=10000", null, Json),
        ("get", "/v1/models/{id}", "/v1/models/none", null, Json),
        ("get", "/v1/models/{id}/snapshots", "/v1/models/clouds/snapshots?after=2&components=true", null, Json),
        ("get", "/v1/models/{id}/snapshots/{version}", "/v1/models/clouds/snapshots/8", null, Json),
        ("post", "/v1/models/{id}/score", "/v1/models/clouds/score", Records, Json),
        ("post", "/v1/models/{id}/score", "/v1/models/clouds/score", Records, Lines),
        ("post", "/v1/models/{id}/score", "/v1/models/clouds/score", Records, "text/csv"),
        ("post", "/v1/models/{id}/score", "/v1/models/clouds/score", """{"x": "?"}""", Json),
        ("post", "/v1/models/{id}/records", "/v1/models/clouds/records", Records, Json),
        ("post", "/v1/models/{id}/feedback", "/v1/models/clouds/feedback", """{"record": 1, "verdict": "normal"}""", Json),
        ("post", "/v1/models/{id}/what-if", "/v1/models/clouds/what-if", """{"kappa": 0.8}""", Json),
        ("get", "/v1/models/{id}/recent", "/v1/models/clouds/recent?limit=5", null, Json),
        ("get", "/v1/models/{id}/recent", "/v1/models/clouds/recent?kind=strangest", null, Json),
        ("get", "/v1/models/{id}/layout", "/v1/models/clouds/layout", null, Json),
        ("get", "/v1/models/{id}/components", "/v1/models/clouds/components?x=x&y=y", null, Json),
        ("get", "/v1/models/{id}/graph", "/v1/models/clouds/graph", null, "image/svg+xml"),
        ("get", "/v1/models/{id}/diff", "/v1/models/clouds/diff?from=8&to=10", null, Json),
        ("get", "/v1/models/{id}/keys", "/v1/models/clouds/keys", null, Json),
        ("get", "/v1/models/{id}/keys/{key}", "/v1/models/clouds/keys/a", null, Json),
        ("get", "/v1/models/{id}/workers", "/v1/models/clouds/workers", null, Json),
        ("get", "/v1/models/{id}/workers", "/v1/models/none/workers", null, Json),
        ("post", "/v1/models/{id}/checkpoint", "/v1/models/clouds/checkpoint", null, Json),
        ("post", "/v1/models/{id}/pin", "/v1/models/clouds/pin?version=8", null, Json),
        ("post", "/v1/models/{id}/unpin", "/v1/models/clouds/unpin", null, Json),
        ("post", "/v1/models/{id}/revert", "/v1/models/clouds/revert", """{"version": 9}""", Json),
        ("post", "/v1/models/{id}/pause", "/v1/models/clouds/pause", null, Json),
        ("post", "/v1/models/{id}/resume", "/v1/models/clouds/resume", null, Json),
        ("post", "/v1/admin/checkpoint", "/v1/admin/checkpoint", null, Json),
        ("post", "/v1/admin/pause", "/v1/admin/pause", null, Json), ("post", "/v1/admin/resume", "/v1/admin/resume", null, Json),
        ("post", "/v1/admin/reload", "/v1/admin/reload", null, Json), ("post", "/v1/admin/drain", "/v1/admin/drain", null, Json),
    ];

    [Fact]
    public async Task Document_EveryRoute_IsACallWithANameOfItsOwn()
    {
        await using ApiFixture api = await ApiFixture.Start();
        JsonElement paths = (await Document(api)).GetProperty("paths");

        string[] described = [.. from path in paths.EnumerateObject()
                                 from call in path.Value.EnumerateObject()
                                 select $"{call.Name} {path.Name}"];
        Assert.Equal(Calls(api).Select(call => $"{call.Method} {call.Path}").Order(StringComparer.Ordinal),
            described.Order(StringComparer.Ordinal));
        JsonElement[] calls = [.. paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject()).Select(call => call.Value)];
        string[] names = [.. calls.Select(call => call.TryGetProperty("operationId", out JsonElement id) ? id.GetString()! : "")];
        Assert.All(names, name => Assert.Matches(Name(), name));
        Assert.Distinct(names);
        Assert.All(calls, call => Assert.True(call.GetProperty("summary").GetString()!.Length > 5 && call.TryGetProperty("tags", out _)));
    }

    /// <summary>
    /// No handler reads a name of the query by itself, as BannedSymbols.txt sees to; what it declares as a parameter has to be described.
    /// </summary>
    [Fact]
    public async Task Document_WhatAHandlerReads_IsAParameterWithADescription()
    {
        await using ApiFixture api = await ApiFixture.Start();
        JsonElement paths = (await Document(api)).GetProperty("paths");

        foreach ((string path, string method, MethodInfo handler) in Calls(api))
        {
            JsonElement[] declared = paths.GetProperty(path).GetProperty(method).TryGetProperty("parameters", out JsonElement parameters)
                ? [.. parameters.EnumerateArray()]
                : [];
            string[] read = [.. from parameter in handler.GetParameters()
                                let type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType
                                where type == typeof(string) || type.IsPrimitive
                                select parameter.GetCustomAttribute<FromQueryAttribute>()?.Name
                                    ?? parameter.GetCustomAttribute<FromHeaderAttribute>()?.Name ?? parameter.Name];
            Assert.Equal(read.Order(StringComparer.Ordinal),
                declared.Select(one => one.GetProperty("name").GetString()).Order(StringComparer.Ordinal));
            Assert.All(declared, one => Assert.True(one.TryGetProperty("description", out _), $"{method} {path}: {one}"));
        }
    }

    [Fact]
    public async Task Document_Bodies_AreThoseThatAreRead()
    {
        await using ApiFixture api = await ApiFixture.Start();

        var bodies = from path in (await Document(api)).GetProperty("paths").EnumerateObject()
                     from call in path.Value.EnumerateObject()
                     where call.Value.TryGetProperty("requestBody", out _)
                     let types = call.Value.GetProperty("requestBody").GetProperty("content").EnumerateObject().Select(type => type.Name)
                     select $"{call.Value.GetProperty("operationId")}: {string.Join(", ", types)}";

        Assert.Equal(
            [
                "give_feedback: application/json", "pin: application/json", "revert: application/json",
                "score: application/json, application/x-ndjson, text/csv", "send_records: application/json, application/x-ndjson, text/csv",
                "what_if: application/json",
            ],
            bodies.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Document_TheToken_IsOfEveryCallThatAsksForIt()
    {
        await using ApiFixture api = await ApiFixture.Start();
        JsonElement document = await Document(api);

        Assert.Equal("bearer", document.GetProperty("components").GetProperty("securitySchemes").GetProperty("token").GetProperty("scheme")
            .GetString());
        string[] open = [.. from path in document.GetProperty("paths").EnumerateObject()
                            from call in path.Value.EnumerateObject()
                            where !call.Value.TryGetProperty("security", out JsonElement security)
                                || !security[0].TryGetProperty("token", out _)
                            select path.Name];
        Assert.Equal(["/livez", "/metrics", "/readyz", "/startupz"], open.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Answers_OfEveryCall_AreThoseOfTheDocument()
    {
        await using ApiFixture api = await ApiFixture.Start();
        JsonElement document = await Document(api);

        Assert.Equal(["/v1/models/{id}/stream"], Calls(api).Select(call => call.Path).Except(Asked.Select(one => one.Path)));
        foreach ((string method, string path, string url, string? body, string accept) in Asked)
        {
            HttpRequestMessage request = api.Request(new HttpMethod(method.ToUpperInvariant()), url, body);
            request.Headers.Add("Accept", accept);
            HttpResponseMessage answer = await api.Client.SendAsync(request);
            string text = await answer.Content.ReadAsStringAsync(), what = $"{method} {url}: {(int)answer.StatusCode} {text}";
            JsonElement answers = document.GetProperty("paths").GetProperty(path).GetProperty(method).GetProperty("responses");
            Assert.True(answers.TryGetProperty($"{(int)answer.StatusCode}", out JsonElement described), what);
            Assert.True(described.GetProperty("content").TryGetProperty(answer.Content.Headers.ContentType!.MediaType!,
                out JsonElement content), $"{what} {answer.Content.Headers.ContentType}");
            if (answer.IsSuccessStatusCode) Assert.Equal(accept, answer.Content.Headers.ContentType!.MediaType);
            string[] documents = accept == Lines ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [text];
            if (answer.Content.Headers.ContentType!.MediaType!.EndsWith("json", StringComparison.Ordinal))
                Assert.All(documents, one => AssertIs(content.GetProperty("schema"), document, one, what));
            else
                Assert.Equal("string", content.GetProperty("schema").GetProperty("type").GetString());
        }
    }

    private static void AssertIs(JsonElement schema, JsonElement document, string text, string what)
    {
        string all = document.GetProperty("components").GetProperty("schemas").GetRawText();
        string whole = $$"""{"allOf": [{{schema.GetRawText()}}], "$defs": {{all}}}""";
        EvaluationResults results = JsonSchema.FromText(whole.Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal))
            .Evaluate(JsonDocument.Parse(text).RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
        IEnumerable<string> problems = (results.Details ?? []).Append(results).Where(detail => detail.Errors is not null)
            .SelectMany(detail => detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Value}"));
        Assert.True(results.IsValid, $"{what}\n{string.Join('\n', problems)}");
    }

    private static Task<JsonElement> Document(ApiFixture api) => api.Client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");

    private static IEnumerable<(string Path, string Method, MethodInfo Handler)> Calls(ApiFixture api) =>
        from endpoint in api.Endpoints.OfType<RouteEndpoint>()
        let path = endpoint.RoutePattern.RawText!.Replace("**", "", StringComparison.Ordinal)
        where !path.StartsWith("/openapi/", StringComparison.Ordinal) && !path.StartsWith("/ui/", StringComparison.Ordinal)
        from method in endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods
        where method != HttpMethods.Head
        select (path, method.ToLowerInvariant(), endpoint.Metadata.GetRequiredMetadata<MethodInfo>());

    [GeneratedRegex("^[a-z]+(_[a-z]+)*$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Name();
}
