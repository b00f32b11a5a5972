using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Http;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Api;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Rehearsals;

/// <summary>What became of trying one thing.</summary>
/// <param name="What">The thing: <c>boiler: source</c>.</param>
/// <param name="Code">The exit code that a worker would end with; 0 when all is well.</param>
/// <param name="Text">What was found.</param>
internal sealed record CheckOutcome(string What, int Code, string Text);

/// <summary>
/// Tries everything outside that a worker would need, as far as that changes nothing: reads the first records of every source, asks brokers
/// for their topics, knocks at webhooks, looks whether files can be written where they are to be.
/// </summary>
internal sealed class ConnectionCheck(WorkerOptions options, TimeProvider time)
{
    /// <summary>How long anything may take to answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Tries one after another.</summary>
    public async IAsyncEnumerable<CheckOutcome> RunAsync([EnumeratorCancellation] CancellationToken stop)
    {
        yield return Try("state_directory", () => Writable(Path.Combine(options.StateDirectory, "state")));
        yield return Try("http.address", () => Free(options.Http.Address));
        foreach (ModelOptions model in options.Models)
        {
            if (model.Source is KafkaSourceOptions { SchemaRegistry: not null } registered)
                yield return await TryAsync($"{model.Id}: schema registry",
                    () => RegistryProbe.AskAsync(registered, model.Schema.Read, Patience, time, stop)).ConfigureAwait(false);
            yield return await TryAsync($"{model.Id}: source", () => ReadAsync(model, stop)).ConfigureAwait(false);
            foreach (CheckOutcome outcome in TryScaleOut(model, stop)) yield return outcome;
            foreach (object publisher in model.Publish)
                yield return Try($"{model.Id}: publish", () => publisher switch
                {
                    FilePublisherOptions file => Writable(file.Path),
                    KafkaPublisherOptions kafka => Topic(kafka.Brokers, kafka.Topic, kafka.Properties, "publish.kafka", stop),
                    _ => "not tried",
                });
            foreach (ScoreSinkOptions sink in model.Scores)
                yield return await TryAsync($"{model.Id}: scores", () => SinkAsync(sink, stop)).ConfigureAwait(false);
            if (model.Rejected.File is { } rejected) yield return Try($"{model.Id}: rejected", () => Writable(rejected));
            if (model.Rejected.Kafka is { } letters)
                yield return Try($"{model.Id}: rejected",
                    () => Topic(letters.Brokers, letters.Topic, letters.Properties, "rejected.kafka", stop));
        }
    }

    private async Task<string> ReadAsync(ModelOptions model, CancellationToken stop)
    {
        if (model.Source is HttpSourceOptions) return $"records are taken at {options.Http.Address}/v1/models/{model.Id}/records";
        if (model.Source is StdinSourceOptions) return "standard input is not read here";
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Patience);
        var context =
            new SourceContext(model.Schema.Read, new SourcePosition(), time) { Once = true, MinibatchSize = model.Learning.MinibatchSize };
        await using RecordSource source = SourceCatalog.Create(model.Source, context);
        var batch = new RecordBatch(model.Schema.Read);
        (long read, long rejected, long filtered) = (0, 0, 0);
        string? why = null;
        try
        {
            while (read + rejected + filtered < batch.Capacity && await source.ReadAsync(batch, deadline.Token).ConfigureAwait(false))
            {
                (read, rejected, filtered) = (read + batch.Count, rejected + batch.Rejected.Count, filtered + batch.FilteredOut);
                if (batch.Rejected.Count > 0) why ??= batch.Rejected[0].Detail;
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new CommandException(
                ExitCode.Unavailable, source.Problem ?? Invariant($"nothing came within {Patience.TotalSeconds:0} s"));
        }

        string rest = filtered == 0 ? "" : Invariant($", {filtered} passed over (where)");
        if (read == 0 && rejected > 0)
            throw new CommandException(ExitCode.DataCorrupt, Invariant($"none of {rejected} records can be used: {why}"));
        if (read + rejected + filtered == 0) return "reachable; no record is there yet";
        return Invariant($"of the first {read + rejected + filtered} records {read} can be used{rest}")
            + (rejected > 0 ? Invariant($", {rejected} not: {why}") : "");
    }

    private async Task<string> SinkAsync(ScoreSinkOptions sink, CancellationToken stop)
    {
        switch (sink)
        {
            case FileScoreOptions file:
                return Writable(file.Path);
            case KafkaScoreOptions kafka:
                return Topic(kafka.Brokers, kafka.Topic, kafka.Properties, "scores.kafka", stop);
            case WebhookScoreOptions webhook:
                var url = new Uri(webhook.Url);
                using (var client = new TcpClient())
                {
                    using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
                    deadline.CancelAfter(Patience);
                    await client.ConnectAsync(url.DnsSafeHost, url.Port, deadline.Token).ConfigureAwait(false);
                }

                return $"{url.DnsSafeHost}:{url.Port.ToString(CultureInfo.InvariantCulture)} answers; nothing was posted";
            default:
                return "standard output";
        }
    }

    private IEnumerable<CheckOutcome> TryScaleOut(ModelOptions model, CancellationToken stop)
    {
        if (model is not { ScaleOut: { } scale, Source: KafkaSourceOptions }) yield break;
        var topics = new ScaleOutTopics(model, time);
        foreach (KafkaTarget target in (KafkaTarget[])[topics.Statistics, topics.Model])
            yield return Try($"{model.Id}: scale_out", () => Topic(target, isCompacted: target.Topic == scale.ModelTopic, stop));
        if (scale.Transactions != Transactions.On) yield break;
        yield return Try($"{model.Id}: scale_out.transactions", () =>
        {
            // An id that no worker has: who begins under one ends what another left open under it.
            string id = topics.WorkerTransactions("validate");
            using var transactions = new GroupTransactions(
                topics.Statistics, id, KafkaProducer.DefaultMaxMessageBytes, OutageOf(topics.Statistics));
            transactions.Begin(stop);
            return $"the brokers have transactions, and the user may make some as {id}";
        });
    }

    private string Topic(
        IReadOnlyList<string> brokers, string name, IReadOnlyDictionary<string, string> properties, string section,
        CancellationToken stop) => Topic(new KafkaTarget(brokers, name, properties, section), isCompacted: null, stop);

    /// <param name="target">The topic.</param>
    /// <param name="isCompacted">Of one through which workers learn together: whether it has to be compacted.</param>
    /// <param name="stop">Stops asking.</param>
    private string Topic(KafkaTarget target, bool? isCompacted, CancellationToken stop)
    {
        using var topic = new KafkaTopic(target, OutageOf(target), stop);
        if (topic.CountPartitions() is not { } partitions) return $"topic '{target.Topic}' does not exist; the worker creates it";
        if (isCompacted is { } wanted)
        {
            ScaleOutTopics.RequireOne(target, partitions);
            ScaleOutTopics.RequirePolicy(target, topic.Describe().CleanupPolicy, wanted);
        }

        return Invariant($"topic '{target.Topic}' has {partitions} {(partitions == 1 ? "partition" : "partitions")}");
    }

    private Outage OutageOf(KafkaTarget target) => new(target.Brokers, Patience, target.Section, time);

    /// <summary>Looks whether a file can be made in the folder, or in the nearest one that is there; leaves nothing.</summary>
    private static string Writable(string file)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        while (!Directory.Exists(folder)) folder = Path.GetDirectoryName(folder)!;
        string probe = Path.Combine(folder, $".streamem-{Environment.ProcessId}");
        using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose))
        {
        }

        return $"{folder} can be written to";
    }

    private static string Free(string address)
    {
        ListenAddress listen = ListenAddress.Parse(address);
        using var listener = new TcpListener(listen.Ip, listen.Port);
        listener.Start();
        return $"{address} is free";
    }

    private static CheckOutcome Try(string what, Func<string> check) =>
        TryAsync(what, () => Task.FromResult(check())).GetAwaiter().GetResult();

    private static async Task<CheckOutcome> TryAsync(string what, Func<Task<string>> check)
    {
        try
        {
            return new CheckOutcome(what, ExitCode.Ok, await check().ConfigureAwait(false));
        }
        catch (CommandException failure)
        {
            return new CheckOutcome(what, failure.ExitCode, failure.Message);
        }
        catch (SourceException failure)
        {
            return new CheckOutcome(what, SourceExitCode.Of(failure.Failure), failure.Message);
        }
        catch (SocketException failure)
        {
            return new CheckOutcome(what, ExitCode.Unavailable, failure.Message);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new CheckOutcome(what, ExitCode.CannotCreate, failure.Message);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
