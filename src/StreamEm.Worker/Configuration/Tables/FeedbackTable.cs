using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of <c>feedback</c>.</summary>
internal static class FeedbackTable
{
    private const int Memory = 10_000;

    private static readonly Table<Feedback> Keys = new(
        () => new Feedback(Memory),
        new ValueField<Feedback>(new Setting<Feedback, int>(
            "memory", new IntegerKind(1, 1_000_000), o => o.Memory, (o, v) => o with { Memory = v },
            "The last records of which something can be said.")));

    /// <summary><c>feedback</c>.</summary>
    public static readonly Field<ModelOptions> Field = new OptionalSectionField<ModelOptions, Feedback>(
        "feedback", "What people may say of records, by POST /v1/models/{id}/feedback; null: nothing.", Keys,
        o => o.FeedbackMemory is { } memory ? new Feedback(memory) : null, (o, v) => o with { FeedbackMemory = v?.Memory });

    private sealed record Feedback(int Memory);
}
