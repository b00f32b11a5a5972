using System.Text.Json.Nodes;

namespace StreamEm.Worker.Testing;

/// <summary>One entry of <c>tests</c>: records that go in, and what is expected to be said of them.</summary>
public sealed record TestOptions
{
    /// <summary><c>name</c>: what it shows, for a person.</summary>
    public required string Name { get; init; }

    /// <summary><c>model</c>: the id of the model; null where there is only one.</summary>
    public string? Model { get; init; }

    /// <summary><c>from</c>: parameters or a snapshot to start at instead of the model's <c>learning.initialization.from</c>.</summary>
    public string? From { get; init; }

    /// <summary><c>learn</c>: files learned from before the records come.</summary>
    public IReadOnlyList<string> Learn { get; init; } = [];

    /// <summary><c>records</c>: the records, a JSON object each; null where they are in a text or a file.</summary>
    public IReadOnlyList<string>? Records { get; init; }

    /// <summary><c>text</c>: the records as the model's source has them, with a header where that is so.</summary>
    public string? Text { get; init; }

    /// <summary><c>file</c>: a file of records.</summary>
    public string? File { get; init; }

    /// <summary><c>expect</c>: what is expected of each record, in their order; empty: nothing.</summary>
    public IReadOnlyList<ExpectedRecord> Expect { get; init; } = [];

    /// <summary><c>counts</c>: how many are scored, rejected, filtered, and how many alarms are raised; null: any number.</summary>
    public JsonObject? Counts { get; init; }

    /// <summary><c>tolerance</c>: by how much a number may be off; of a number beyond 1 the share of it.</summary>
    public double Tolerance { get; init; } = 1e-9;

    /// <summary>Where it is written, <c>streamem.yaml:12:5</c>.</summary>
    public string Place { get; init; } = "";
}

/// <summary>What is expected of one record.</summary>
/// <param name="Values">Fields of its score line, or <c>rejected</c>, or <c>filtered</c>; scalars are texts.</param>
/// <param name="Place">Where it is written.</param>
public sealed record ExpectedRecord(JsonObject Values, string Place);
