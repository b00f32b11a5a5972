using Confluent.Kafka;
using StreamEm.Core.Features;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Surveys;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Commands;

/// <summary>Looks at the newest messages of a topic of which nothing is known: <c>kafka://broker/topic</c> where data are taken.</summary>
internal static class TopicSurvey
{
    /// <summary>So many messages are looked at, of all partitions together.</summary>
    private const int MostMessages = 5000;

    /// <summary>The fields of a topic's messages.</summary>
    /// <exception cref="CommandException">There is no message, or none is a JSON object (65); or as <see cref="TopicVisit"/>.</exception>
    public static DataSurvey Read(TopicAddress address, KafkaAccess kafka, string verb, CancellationToken stop)
    {
        byte[] text = TopicVisit.Read(address, kafka, verb, NewestMessages, stop);
        if (text.Length == 0)
            throw new CommandException(ExitCode.DataCorrupt,
                $"{address} holds no message yet, so that its fields are not known. Send some first, or write a configuration.");
        if (text.AsSpan().IndexOfAnyExcept(" \t\n"u8) is var first && text[first] != (byte)'{')
            throw new CommandException(ExitCode.DataCorrupt,
                $"{address}: messages are no JSON objects. Those of a schema registry, CSV or numbers need a configuration that says "
                    + "format and schema_registry or columns: see docs/kafka.md.");
        try
        {
            return DataSurvey.OfText(text, isWhole: true, address.ToString(), RecordFormat.Ndjson, CsvDialect.Found);
        }
        catch (SourceException failure)
        {
            throw new CommandException(SourceExitCode.Of(failure.Failure), failure.Message, failure);
        }
    }

    /// <summary>The last messages of every partition, one a line.</summary>
    private static byte[] NewestMessages(KafkaTopic topic)
    {
        using var text = new MemoryStream();
        foreach (ConsumeResult<byte[]?, byte[]?> message in topic.ReadNewest(MostMessages))
        {
            if (message.Message.Value is not { } value || text.Length + value.Length > DataSurvey.MostBytes) continue;
            // Line ends are blanks in JSON.
            foreach (byte b in value) text.WriteByte(b is (byte)'\n' or (byte)'\r' ? (byte)' ' : b);
            text.WriteByte((byte)'\n');
        }

        return text.ToArray();
    }
}
