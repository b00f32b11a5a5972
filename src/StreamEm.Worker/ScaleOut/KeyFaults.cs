using StreamEm.Worker.Failures;

namespace StreamEm.Worker.ScaleOut;

/// <summary>What the topic of keys has that cannot be used.</summary>
internal static class KeyFaults
{
    /// <summary>A state that is damaged, or of another model (65).</summary>
    public static CommandException Unusable(ScaleOutTopics topics, InvalidDataException failure) => new(ExitCode.DataCorrupt,
        $"scale_out: a state in {topics.Keys.Description} cannot be used: {failure.Message} Name another keys_topic, and all keys begin "
            + "anew.", failure);

    /// <summary>Sequences of another run of the model (78).</summary>
    public static CommandException OfAnotherRun(ScaleOutTopics topics, string partition) => new(ExitCode.Configuration,
        $"scale_out: {topics.Keys.Description} has the sequences of the keys of {partition} further than {topics.Model.Description} has "
            + "the model: they are of another run. Name another keys_topic, and they begin anew.");
}
