using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamEm.House.Tests.Deployments.Shapes;

/// <summary>A compose file: the fields in use and their neighbours, of each the form in use.</summary>
internal sealed record Compose(
    IReadOnlyDictionary<string, ComposeService> Services, IReadOnlyDictionary<string, ComposeVolume?>? Volumes = null, string? Name = null);

/// <summary>A volume; nothing has to be said of it.</summary>
internal sealed record ComposeVolume(string? Driver = null, bool? External = null, string? Name = null);

/// <summary>A container.</summary>
internal sealed record ComposeService(
    string? Image = null, ComposeBuild? Build = null, IReadOnlyList<string>? Entrypoint = null, IReadOnlyList<string>? Command = null,
    IReadOnlyDictionary<string, string>? Environment = null,
    [property: Looks("(([0-9.]+|\\[[0-9a-f:]+\\]):)?([0-9]+|\\$\\{[A-Z_]+:-[0-9]+(-[0-9]+)?\\}):[0-9]+(/(tcp|udp))?")]
    IReadOnlyList<string>? Ports = null,
    [property: Looks("(\\.{1,2}/[^:]+|/[^:]+|[a-z][a-z0-9_-]*):/[^:]+(:(ro|rw))?")] IReadOnlyList<string>? Volumes = null,
    ComposeHealth? Healthcheck = null, ComposeDependencies? DependsOn = null, bool? Init = null, bool? ReadOnly = null,
    [property: Looks("/.*")] IReadOnlyList<string>? Tmpfs = null, IReadOnlyList<string>? CapDrop = null,
    IReadOnlyList<string>? CapAdd = null,
    [property: Looks("no-new-privileges:(true|false)|(apparmor|label|seccomp)[:=].+")] IReadOnlyList<string>? SecurityOpt = null,
    [property: Looks(Durations.Compose)] string? StopGracePeriod = null, string? StopSignal = null, string? User = null,
    [property: Looks("no|always|on-failure(:[0-9]+)?|unless-stopped")] string? Restart = null, IReadOnlyList<string>? Profiles = null,
    int? Scale = null);

/// <summary>How an image is built.</summary>
internal sealed record ComposeBuild(
    string Context, string? Dockerfile = null, IReadOnlyDictionary<string, string>? Args = null, string? Target = null);

/// <summary>How a container's health is asked.</summary>
internal sealed record ComposeHealth(
    IReadOnlyList<string> Test, [property: Looks(Durations.Compose)] string? Interval = null,
    [property: Looks(Durations.Compose)] string? Timeout = null, int? Retries = null,
    [property: Looks(Durations.Compose)] string? StartPeriod = null, bool? Disable = null);

/// <summary>When another service is waited for.</summary>
internal sealed record ComposeDependency(
    [property: OneOf("service_started", "service_healthy", "service_completed_successfully")] string Condition, bool? Restart = null,
    bool? Required = null);

/// <summary>A list of services, or a map of conditions.</summary>
[JsonConverter(typeof(Converter))]
internal sealed record ComposeDependencies(IReadOnlyDictionary<string, ComposeDependency> Services)
{
    private sealed class Converter : JsonConverter<ComposeDependencies>
    {
        public override ComposeDependencies Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.StartArray
                ? new ComposeDependencies(JsonSerializer.Deserialize<string[]>(ref reader, options)!
                    .ToDictionary(name => name, _ => new ComposeDependency("service_started")))
                : new ComposeDependencies(JsonSerializer.Deserialize<Dictionary<string, ComposeDependency>>(ref reader, options)!);

        public override void Write(Utf8JsonWriter writer, ComposeDependencies value, JsonSerializerOptions options) =>
            throw new NotSupportedException();
    }
}
