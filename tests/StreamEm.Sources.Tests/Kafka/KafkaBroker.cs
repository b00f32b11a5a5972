using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Tests.Kafka;

[assembly: AssemblyFixture(typeof(KafkaBroker))]

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>
/// A broker for the tests of this assembly, in this order: an existing one (STREAMEM_TEST_BROKER), a local Apache Kafka (KAFKA_HOME, with
/// start.sh and stop.sh), else the client's in-process mock cluster.
/// </summary>
public sealed class KafkaBroker : IAsyncLifetime
{
    /// <summary>Partitions of every topic of the mock.</summary>
    public const int MockPartitions = 4;

    private readonly string _id = Guid.CreateVersion7().ToString("N")[^8..];
    private readonly string? _home = Environment.GetEnvironmentVariable("KAFKA_HOME");
    private string? _directory;
    private int _port, _topics;
    private IProducer<byte[]?, byte[]?>? _producer;
    private IAdminClient? _admin;

    /// <summary>Settings of a broker of its own beyond start.sh's: given the first of its free ports, <c>name=value</c> each.</summary>
    internal Func<int, IEnumerable<string>> Settings { get; init; } = _ => [];

    /// <summary>Nodes of a broker of its own: a cluster of three goes on without one.</summary>
    internal int Nodes { get; init; } = 1;

    /// <summary>host:port, of each node.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Whether it is the client's own mock, which knows no deletion, no retention and no topic ids.</summary>
    public bool IsMock { get; private set; }

    /// <summary>Whether this fixture can stop and start it.</summary>
    public bool IsOurs => _directory is not null;

    public IProducer<byte[]?, byte[]?> Producer => _producer!;

    public IAdminClient Admin => _admin!;

    public async ValueTask InitializeAsync()
    {
        var config = new ProducerConfig { LingerMs = 0, Acks = Acks.All, EnableIdempotence = true };
        if (Environment.GetEnvironmentVariable("STREAMEM_TEST_BROKER") is { Length: > 0 } existing)
        {
            Address = existing;
        }
        else if (_home is { Length: > 0 })
        {
            _directory = Directory.CreateTempSubdirectory("streamem-kafka-").FullName;
            _port = FreePorts(Math.Max(5, 2 * Nodes));
            Address = string.Join(',',
                Enumerable.Range(0, Nodes).Select(node => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port + 2 * node}")));
            await StartAsync();
        }
        else
        {
            IsMock = true;
            config.Set("test.mock.num.brokers", "3");
        }

        config.BootstrapServers = Address;
        _producer = new ProducerBuilder<byte[]?, byte[]?>(config).SetLogHandler((_, _) => { }).Build();
        _admin = new DependentAdminClientBuilder(_producer.Handle).Build();
        if (IsMock)
            Address = string.Join(',',
                _admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers
                    .Select(b => string.Create(CultureInfo.InvariantCulture, $"{b.Host}:{b.Port}")));
    }

    /// <summary>Skips a test that the mock cannot show.</summary>
    public void NeedsRealBroker(string what) => Assert.SkipWhen(IsMock, $"the mock cluster {what}; set KAFKA_HOME or STREAMEM_TEST_BROKER");

    /// <summary>Skips a test that stops the broker.</summary>
    public void NeedsOwnBroker() => Assert.SkipUnless(IsOurs, "only a broker that the tests started can be stopped; set KAFKA_HOME");

    /// <summary>
    /// A new topic. On the mock every topic has <see cref="MockPartitions"/> partitions; a test that counts on others is skipped.
    /// </summary>
    public async Task<string> CreateTopicAsync(int partitions, params (string Name, string Value)[] settings)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"test-{_id}-{Interlocked.Increment(ref _topics)}");
        if (IsMock)
        {
            Assert.SkipWhen(partitions != MockPartitions || settings.Length > 0,
                "the mock cluster's topics cannot be configured; set KAFKA_HOME or STREAMEM_TEST_BROKER");
            Assert.Equal(MockPartitions, Admin.GetMetadata(name, TimeSpan.FromSeconds(10)).Topics.Single().Partitions.Count);
            return name;
        }

        var topic = new TopicSpecification
        {
            Name = name,
            NumPartitions = partitions,
            ReplicationFactor = (short)Nodes,
            // Messages keep the times they are given, and a broker deletes what it finds too old whenever it looks.
            Configs = settings.Append(("retention.ms", "-1")).DistinctBy(s => s.Item1).ToDictionary(s => s.Item1, s => s.Item2)
        };
        return await Eventually.Get(async () =>
        {
            try
            {
                await Admin.CreateTopicsAsync([topic]);
                return name;
            }
            catch (CreateTopicsException refusal)
                when (refusal.Results.Exists(one => one.Error.Code == ErrorCode.InvalidReplicationFactor))
            {
                // On a slow machine the only broker is fenced for a moment.
                return null;
            }
        }, "a broker that takes topics");
    }

    /// <summary>Writes values to a partition and waits until they are there.</summary>
    public void Produce(string topic, int partition, params IEnumerable<string?> values) =>
        Produce(topic, partition,
            values.Select(value => new Message<byte[]?, byte[]?> { Value = value is null ? null : Encoding.UTF8.GetBytes(value) }));

    /// <summary>Writes messages to a partition and waits until they are there.</summary>
    public void Produce(string topic, int partition, IEnumerable<Message<byte[]?, byte[]?>> messages)
    {
        Error? failed = null;
        foreach (Message<byte[]?, byte[]?> message in messages)
            Producer.Produce(new TopicPartition(topic, partition), message,
                report => failed = report.Error.IsError ? report.Error : failed);
        Producer.Flush(TimeSpan.FromSeconds(30));
        Assert.Null(failed);
    }

    /// <summary>Writes <c>{"x":FIRST}</c>, <c>{"x":FIRST+1}</c>, ... to a partition, every so many of them unreadable.</summary>
    public void Fill(string topic, int partition, int first, int count, int malformedEvery = 0) => Produce(topic, partition,
        Enumerable.Range(first, count)
            .Select(x =>
                new Message<byte[]?, byte[]?> { Value = malformedEvery > 0 && x % malformedEvery == 1 ? "{\"x\":"u8.ToArray() : Json(x) }));

    public static byte[] Json(int x) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"x\":{x}}}"));

    /// <summary>Crashes the broker; what it had acknowledged stays.</summary>
    public Task KillAsync() => RunAsync("stop.sh", _directory!, "--kill");

    /// <summary>Stops the broker's process where it is (SIGSTOP): its connections stay, and nothing is answered.</summary>
    public Task FreezeAsync() => SignalAsync("-STOP");

    /// <summary>Lets it go on.</summary>
    public Task ThawAsync() => SignalAsync("-CONT");

    /// <summary>Starts the broker again.</summary>
    public Task StartAsync() => RunAsync("start.sh", StartArguments());

    /// <summary>Stops a node, the first is 1: in order, or by a crash.</summary>
    internal Task StopNodeAsync(int node, bool isKilled) =>
        RunAsync("stop.sh", [_directory!, "--node", $"{node}", .. isKilled ? ["--kill"] : Array.Empty<string>()]);

    /// <summary>Starts a node again.</summary>
    internal Task StartNodeAsync(int node) => RunAsync("start.sh", [.. StartArguments(), "--node", $"{node}"]);

    public async ValueTask DisposeAsync()
    {
        _admin?.Dispose();
        _producer?.Dispose();
        if (!IsOurs) return;
        await KillAsync();
        Directory.Delete(_directory!, recursive: true);
    }

    private string[] StartArguments() =>
    [
        _directory!, "--port", _port.ToString(CultureInfo.InvariantCulture), "--nodes", $"{Nodes}",
        .. Settings(_port).SelectMany(setting => new[] { "--property", setting }),
    ];

    /// <summary>The first of free ports: of a node the broker's and its controller's, and of one alone three for other listeners.</summary>
    private static int FreePorts(int count)
    {
        while (true)
        {
            var taken = new List<TcpListener> { new(IPAddress.Loopback, 0) };
            try
            {
                taken[0].Start();
                int port = ((IPEndPoint)taken[0].LocalEndpoint).Port;
                for (int next = 1; next < count; next++)
                {
                    taken.Add(new TcpListener(IPAddress.Loopback, port + next));
                    taken[next].Start();
                }

                return port;
            }
            catch (SocketException)
            {
                // One of them is taken: others.
            }
            finally
            {
                foreach (TcpListener listener in taken) listener.Dispose();
            }
        }
    }

    private async Task SignalAsync(string signal)
    {
        string file = Assert.Single(Directory.GetFiles(_directory!, "pid", SearchOption.AllDirectories));
        using Process kill = Process.Start("kill", [signal, (await File.ReadAllTextAsync(file)).Trim()]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    private async Task RunAsync(string script, params string[] arguments)
    {
        // start.sh leaves the broker running with its own output files; nothing of it is read here, so that the end of the script is the
        // end of the wait.
        using Process process =
            Process.Start(new ProcessStartInfo(Path.Combine(_home!, script), arguments) { Environment = { ["KAFKA_HEAP"] = "512m" } })!;
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{script} ended with code {process.ExitCode}");
    }
}
