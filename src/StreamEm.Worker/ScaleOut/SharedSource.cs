using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>The partitions of a source that one worker has.</summary>
internal static class SharedSource
{
    /// <summary>Reads them.</summary>
    /// <param name="options">The model.</param>
    /// <param name="partitions">Which.</param>
    /// <param name="position">From where.</param>
    /// <param name="hasBegun">Whether the run has places of partitions.</param>
    /// <param name="time">The clock.</param>
    public static SourceReader Open(ModelOptions options, string[] partitions, SourcePosition position, bool hasBegun, TimeProvider time)
    {
        KafkaSourceOptions source = OptionsOf((KafkaSourceOptions)options.Source, partitions, hasBegun);
        var reader = new SourceReader(new KafkaSource(source, new SourceContext(options.Schema.Read, position, time)
        {
            MinibatchSize = options.Learning.MinibatchSize,
            KeepTraces = WorkerTraces.IsOn,
        }), options.Schema.Read, time);
        reader.Start();
        return reader;
    }

    /// <summary>How they are read.</summary>
    /// <param name="all">The source.</param>
    /// <param name="partitions">Which.</param>
    /// <param name="hasBegun">
    /// Whether the run has places of partitions: those without one came later, and are read from their first record, whoever has them.
    /// </param>
    internal static KafkaSourceOptions OptionsOf(KafkaSourceOptions all, string[] partitions, bool hasBegun) => all with
    {
        Only = partitions,
        GroupId = null,
        IdleAfter = all.IdleAfter ?? TimeSpan.FromSeconds(1),
        Start = hasBegun ? KafkaStart.Earliest : all.Start,
    };
}
