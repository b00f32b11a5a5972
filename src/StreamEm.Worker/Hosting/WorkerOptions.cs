using StreamEm.Worker.Api;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Testing;

namespace StreamEm.Worker.Hosting;

/// <summary>The whole configuration file, checked and with every default in place.</summary>
public sealed record WorkerOptions
{
    /// <summary><c>http</c>.</summary>
    public HttpOptions Http { get; init; } = new();

    /// <summary><c>state_directory</c>: the only directory the worker owns.</summary>
    public string StateDirectory { get; init; } = "./state";

    /// <summary><c>serve</c>: whether the process stays to answer when standard input has ended.</summary>
    public bool Serve { get; init; }

    /// <summary><c>models</c>.</summary>
    public IReadOnlyList<ModelOptions> Models { get; init; } = [];

    /// <summary><c>tests</c>: run by <c>streamem test</c> alone.</summary>
    public IReadOnlyList<TestOptions> Tests { get; init; } = [];
}
