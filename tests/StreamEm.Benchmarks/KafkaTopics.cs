using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Core.Data;
using StreamEm.Sources.Decoding;

namespace StreamEm.Benchmarks;

/// <summary>
/// A broker to measure with: an existing one (STREAMEM_TEST_BROKER), or a local Apache Kafka (KAFKA_HOME) started for this run; and topics
/// on it.
/// </summary>
internal sealed class KafkaTopics : IDisposable
{
    private readonly string? _directory;
    private readonly string _home = Environment.GetEnvironmentVariable("KAFKA_HOME") ?? "";
    private readonly PosixSignalRegistration[] _signals = [];
    private readonly IProducer<Null, byte[]> _producer;
    private readonly IAdminClient _admin;

    private KafkaTopics(string? existing)
    {
        Address = existing ?? string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort()}");
        if (existing is null)
        {
            _directory = Directory.CreateTempSubdirectory("streamem-bench-kafka-").FullName;
            _signals = [
                .. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(
                    signal => PosixSignalRegistration.Create(signal, _ => StopBroker()))];
            Run("start.sh", _directory, "--port", Address.Split(':')[1]);
        }

        var config = new ProducerConfig
        {
            BootstrapServers = Address,
            Acks = Acks.Leader,
            LingerMs = 20,
            BatchSize = 1 << 20,
            QueueBufferingMaxMessages = 200_000,
            EnableDeliveryReports = false,
        };
        _producer = new ProducerBuilder<Null, byte[]>(config).SetLogHandler((_, _) => { }).Build();
        _admin = new DependentAdminClientBuilder(_producer.Handle).Build();
    }

    /// <summary>host:port.</summary>
    public string Address { get; }

    /// <summary>The broker, started if needed; null when there is none.</summary>
    public static KafkaTopics? Open()
    {
        string? existing = Environment.GetEnvironmentVariable("STREAMEM_TEST_BROKER"),
            home = Environment.GetEnvironmentVariable("KAFKA_HOME");
        return string.IsNullOrEmpty(existing) && string.IsNullOrEmpty(home)
            ? null
            : new KafkaTopics(string.IsNullOrEmpty(existing) ? null : existing);
    }

    /// <summary>Makes a topic and writes so many records to it, dealt over its partitions.</summary>
    /// <returns>Its name and the bytes of all values.</returns>
    public (string Topic, long Bytes) Fill(RecordFormat format, int partitions, int records, SyntheticMixture? mixture = null)
    {
        string topic = $"bench-{format}-{partitions}-{Guid.NewGuid():N}".ToLowerInvariant();
        _admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 }]).GetAwaiter()
            .GetResult();
        byte[][] values = Values(format, mixture ?? new SyntheticMixture(KafkaThroughput.Dimension, KafkaThroughput.Components));
        long bytes = 0;
        for (int i = 0; i < records; i++)
        {
            byte[] value = values[i % values.Length];
            bytes += value.Length;
            var message = new Message<Null, byte[]> { Value = value };
            while (!TryProduce(new TopicPartition(topic, i % partitions), message)) _producer.Poll(TimeSpan.FromMilliseconds(10));
        }

        while (_producer.Flush(TimeSpan.FromSeconds(10)) > 0) { }
        return (topic, bytes);
    }

    /// <summary>Deletes a topic.</summary>
    public void Delete(string topic) => _admin.DeleteTopicsAsync([topic]).GetAwaiter().GetResult();

    public void Dispose()
    {
        _admin.Dispose();
        _producer.Dispose();
        foreach (PosixSignalRegistration signal in _signals) signal.Dispose();
        StopBroker();
    }

    /// <summary>Also when the benchmark is stopped: a broker left behind would disturb whatever is measured next.</summary>
    private void StopBroker()
    {
        if (_directory is null) return;
        Run("stop.sh", _directory, "--kill");
        Directory.Delete(_directory, recursive: true);
    }

    private bool TryProduce(TopicPartition partition, Message<Null, byte[]> message)
    {
        try
        {
            _producer.Produce(partition, message);
            return true;
        }
        catch (ProduceException<Null, byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
    }

    /// <summary>Rows of a mixture as messages; a hundred thousand different ones, over and over.</summary>
    private static byte[][] Values(RecordFormat format, SyntheticMixture mixture)
    {
        Minibatch rows = mixture.Draw(100_000);
        byte[][] values = new byte[rows.Count][];
        for (int row = 0; row < values.Length; row++)
        {
            if (format == RecordFormat.Float64)
            {
                values[row] = MemoryMarshal.AsBytes(rows.Row(row)).ToArray();
                continue;
            }

            var text = new StringBuilder("{");
            for (int d = 0; d < rows.Dimension; d++)
                text.Append(d == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"\"x{d}\":{rows.Row(row)[d]:F6}");
            values[row] = Encoding.UTF8.GetBytes(text.Append('}').ToString());
        }

        return values;
    }

    private static int FreePort()
    {
        // The broker's controller takes the port above; between 20 000 and 30 000 the system gives out none by itself.
        for (int port = 20_000 + Environment.ProcessId % 5000 * 2; ; port += 2)
        {
            try
            {
                using var first = new TcpListener(IPAddress.Loopback, port);
                using var second = new TcpListener(IPAddress.Loopback, port + 1);
                first.Start();
                second.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next pair.
            }
        }
    }

    private void Run(string script, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(Path.Combine(_home, script), arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{script} ended with code {process.ExitCode}.");
    }
}
