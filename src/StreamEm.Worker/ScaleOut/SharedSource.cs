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
    /// <param name="position">From where; those that have no place there begin where the source says.</param>
    /// <param name="time">The clock.</param>
    public static SourceReader Open(ModelOptions options, string[] partitions, SourcePosition position, TimeProvider time)
    {
        var all = (KafkaSourceOptions)options.Source;
        KafkaSourceOptions source = all with
        {
            Only = partitions,
            GroupId = null,
            IdleAfter = all.IdleAfter ?? TimeSpan.FromSeconds(1),
        };
        var reader = new SourceReader(new KafkaSource(source, new SourceContext(options.Schema.Read, position, time)
        {
            MinibatchSize = options.Learning.MinibatchSize,
            KeepTraces = WorkerTraces.IsOn,
        }), options.Schema.Read, time);
        reader.Start();
        return reader;
    }
}
