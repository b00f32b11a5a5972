using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using StreamEm.Core.Snapshots;

namespace StreamEm.Benchmarks;

/// <summary>
/// The worker under load: an executable that learns from a pipe at full speed, once alone and once while 200 clients read its newest
/// version and score records, each answer's hash verified; then 64 readers of its stream of versions, of which half read nothing.
/// </summary>
internal sealed class Load(string executable, int requestsPerSecond, double seconds)
{
    private const int Readers = 200, Streams = 64, Rows = 400_000;

    /// <summary>Clients that read versions for each that scores.</summary>
    private const int ReadersPerScorer = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("streamem-load-").FullName;
    private readonly ConcurrentBag<double> _milliseconds = [];
    private long _answers, _refused, _torn, _failed;

    /// <summary>Runs all of it; 0 when no answer was torn and memory stayed.</summary>
    public async Task<int> RunAsync()
    {
        WriteData();
        // Before and after: what else the machine does differs from one to the other as well.
        Measure first = await LearnAsync(_ => Task.CompletedTask).ConfigureAwait(false);
        Measure beside = await LearnAsync(ReadAllAsync).ConfigureAwait(false);
        Measure second = await LearnAsync(_ => Task.CompletedTask).ConfigureAwait(false);
        double alone = (first.Rate + second.Rate) / 2, loaded = beside.Rate;
        double[] sorted = [.. _milliseconds.Order()];
        double p50 = At(sorted, 0.5), p99 = At(sorted, 0.99);
        Print($"learning alone                {first.Rate,12:N0} records/s, {first.Cores:F2} cores");
        Print($"the same again                {second.Rate,12:N0} records/s, {second.Cores:F2} cores");
        Print($"learning beside {Readers} clients   {loaded,12:N0} records/s, {beside.Cores:F2} cores");
        Print($"that is                       {100 * (loaded / alone - 1),12:+0.0;-0.0} %");
        Print($"cores of this machine         {Environment.ProcessorCount,12:N0}, these clients {beside.OwnCores:F2}");
        Print($"answers                       {_answers,12:N0} in {seconds:0} s, {_refused} refused (503), {_failed} failed");
        Print($"p50, p99                      {p50:F1} ms, {p99:F1} ms");
        Print($"torn                          {_torn,12:N0}");
        bool isFlat = await StreamsAsync().ConfigureAwait(false);
        Directory.Delete(_folder, recursive: true);
        return _torn == 0 && _failed == 0 && isFlat ? 0 : 1;
    }

    private static double At(double[] sorted, double quantile) =>
        sorted.Length == 0 ? double.NaN : sorted[(int)(quantile * (sorted.Length - 1))];

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private void WriteData()
    {
        var mixture = new SyntheticMixture(8, 8);
        using var text = new StreamWriter(Path.Combine(_folder, "data.csv"));
        text.WriteLine(string.Join(',', Enumerable.Range(0, 8).Select(d => $"x{d}")));
        var batch = mixture.Draw(Rows);
        for (int row = 0; row < Rows; row++)
            text.WriteLine(string.Join(',', batch.Row(row).ToArray().Select(x => x.ToString("F5", CultureInfo.InvariantCulture))));
    }

    /// <summary>Starts a worker, lets it learn while something is done beside it, and says how fast it was meanwhile.</summary>
    private async Task<Measure> LearnAsync(Func<Worker, Task> beside)
    {
        using Worker worker = await Worker.StartAsync(executable, _folder).ConfigureAwait(false);
        await worker.UntilAsync(model => model.GetProperty("version").GetInt64() > 20).ConfigureAwait(false);
        using Process own = Process.GetCurrentProcess();
        (long first, long began) = (await worker.RecordsAsync().ConfigureAwait(false), Stopwatch.GetTimestamp());
        (TimeSpan used, TimeSpan ownUsed) = (worker.Used, own.TotalProcessorTime);
        await Task.WhenAll(beside(worker), Task.Delay(TimeSpan.FromSeconds(seconds))).ConfigureAwait(false);
        long records = await worker.RecordsAsync().ConfigureAwait(false) - first;
        double took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        own.Refresh();
        return new Measure(
            records / took, (worker.Used - used).TotalSeconds / took, (own.TotalProcessorTime - ownUsed).TotalSeconds / took);
    }

    private Task ReadAllAsync(Worker worker)
    {
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        return Task.WhenAll(Enumerable.Range(0, Readers).Select(reader => Task.Run(() => ReadAsync(worker, reader, end))));
    }

    /// <summary>One client with a connection of its own, which asks at even distances as long as answers come in time.</summary>
    private async Task ReadAsync(Worker worker, int reader, long end)
    {
        // Two addresses: a client may have so many requests at once.
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (context, stop) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(new IPEndPoint(IPAddress.Parse($"127.0.0.{2 + (reader & 1)}"), 0));
                await socket.ConnectAsync(IPAddress.Loopback, worker.Address.Port, stop).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = worker.Address };
        TimeSpan every = TimeSpan.FromSeconds((double)Readers / requestsPerSecond);
        await Task.Delay(every * reader / Readers).ConfigureAwait(false);
        for (long next = Stopwatch.GetTimestamp(); next < end; next += (long)(every.TotalSeconds * Stopwatch.Frequency))
        {
            TimeSpan wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), next);
            if (wait > TimeSpan.Zero) await Task.Delay(wait).ConfigureAwait(false);
            try
            {
                await AskAsync(client, isScorer: reader % (ReadersPerScorer + 1) == 0).ConfigureAwait(false);
            }
            catch (HttpRequestException)
            {
                Interlocked.Increment(ref _failed);
            }
        }
    }

    private async Task AskAsync(HttpClient client, bool isScorer)
    {
        long began = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = isScorer
            ? await client.PostAsync("/v1/models/load/score", new StringContent(
                """{"records":[{"x0":0,"x1":0,"x2":0,"x3":0,"x4":0,"x5":0,"x6":0,"x7":0}]}""", Encoding.UTF8, "application/json"))
                .ConfigureAwait(false)
            : await client.GetAsync("/v1/models/load").ConfigureAwait(false);
        byte[] body = await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
        _milliseconds.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            Interlocked.Increment(ref _refused);
            return;
        }

        response.EnsureSuccessStatusCode();
        Interlocked.Increment(ref _answers);
        if (!isScorer && !IsWhole(body)) Interlocked.Increment(ref _torn);
    }

    private static bool IsWhole(byte[] body)
    {
        ModelSnapshot snapshot = SnapshotReader.Read(body);
        return snapshot.Ancestry is { } said && Ancestry.Of(snapshot, said.Parents).Hash == said.Hash;
    }

    /// <summary>Whether memory stays where it is while readers of the stream do not read.</summary>
    private async Task<bool> StreamsAsync()
    {
        using Worker worker = await Worker.StartAsync(executable, _folder).ConfigureAwait(false);
        await worker.UntilAsync(model => model.GetProperty("version").GetInt64() > 20).ConfigureAwait(false);
        using var stop = new CancellationTokenSource();
        using var client = new HttpClient { BaseAddress = worker.Address, Timeout = Timeout.InfiniteTimeSpan };
        long versions = 0;
        Task[] streams = [.. Enumerable.Range(0, Streams).Select(at => Task.Run(async () =>
        {
            try
            {
                using Stream stream = await client.GetStreamAsync("/v1/models/load/stream", stop.Token).ConfigureAwait(false);
                if (at % 2 == 0) await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(false);
                using var reader = new StreamReader(stream);
                while (await reader.ReadLineAsync(stop.Token).ConfigureAwait(false) is { } line)
                    if (line.StartsWith("id:", StringComparison.Ordinal)) Interlocked.Increment(ref versions);
            }
            catch (Exception ended) when (ended is OperationCanceledException or IOException or HttpRequestException)
            {
                // Cut off by the worker for reading nothing, or by the end.
            }
        }))];
        var megabytes = new List<double>();
        for (int at = 0; at < 10; at++)
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds / 10)).ConfigureAwait(false);
            megabytes.Add(worker.Megabytes);
        }

        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(streams).ConfigureAwait(false);
        double first = megabytes.Skip(1).Take(3).Max(), last = megabytes.TakeLast(3).Max();
        Print($"{Streams} streams, half unread      {versions,12:N0} versions read, memory {first:F0} then {last:F0} MB");
        return last < 1.2 * first + 16;
    }

    /// <summary>Records a second, and the processors that the worker and this process took for it.</summary>
    private sealed record Measure(double Rate, double Cores, double OwnCores);

    /// <summary>A worker of its own process.</summary>
    private sealed class Worker : IDisposable
    {
        private readonly Process _process;
        private readonly HttpClient _client;

        private Worker(Process process, Uri address) =>
            (_process, Address, _client) = (process, address, new HttpClient { BaseAddress = address });

        public Uri Address { get; }

        public double Megabytes
        {
            get
            {
                _process.Refresh();
                return _process.WorkingSet64 / 1e6;
            }
        }

        /// <summary>Processor time so far.</summary>
        public TimeSpan Used
        {
            get
            {
                _process.Refresh();
                return _process.TotalProcessorTime;
            }
        }

        public static async Task<Worker> StartAsync(string executable, string folder)
        {
            int port;
            using (var listener = new TcpListener(IPAddress.Loopback, 0))
            {
                listener.Start();
                port = ((IPEndPoint)listener.LocalEndpoint).Port;
            }

            string state = Directory.CreateDirectory(Path.Combine(folder, Path.GetRandomFileName())).FullName;
            await File.WriteAllTextAsync(Path.Combine(state, "streamem.yaml"), $$"""
                http: { address: "127.0.0.1:{{port}}" }
                state_directory: {{Path.Combine(state, "state")}}
                serve: true
                models:
                  - id: load
                    source: { stdin: { format: csv } }
                    features: [x0, x1, x2, x3, x4, x5, x6, x7]
                    model: { type: gaussian_mixture, components: 8 }
                """).ConfigureAwait(false);
            Process process = Process.Start(new ProcessStartInfo(executable, ["run", "-c", Path.Combine(state, "streamem.yaml")])
            {
                WorkingDirectory = state,
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            // Not one of the pool's threads, which the clients share.
            new Thread(() => Feed(process, Path.Combine(folder, "data.csv"))) { Name = "feed", IsBackground = true }.Start();
            return new Worker(process, new Uri($"http://127.0.0.1:{port}"));
        }

        public async Task<long> RecordsAsync() => (await ModelAsync().ConfigureAwait(false)).GetProperty("records").GetInt64();

        public async Task UntilAsync(Func<JsonElement, bool> condition)
        {
            for (int attempt = 0; ; attempt++)
            {
                try
                {
                    if (condition(await ModelAsync().ConfigureAwait(false))) return;
                }
                catch (HttpRequestException) when (attempt < 600)
                {
                    // Not up yet.
                }

                if (_process.HasExited) throw new InvalidOperationException($"The worker ended with code {_process.ExitCode}.");
                await Task.Delay(50).ConfigureAwait(false);
            }
        }

        public void Dispose()
        {
            _client.Dispose();
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }

        /// <summary>The file's records over and over, as long as somebody takes them.</summary>
        private static void Feed(Process process, string path)
        {
            byte[] text = File.ReadAllBytes(path);
            int header = Array.IndexOf(text, (byte)'\n') + 1;
            try
            {
                for (int from = 0; ; from = header)
                    process.StandardInput.BaseStream.Write(text.AsSpan(from));
            }
            catch (Exception ended) when (ended is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // The worker was stopped.
            }
        }

        private async Task<JsonElement> ModelAsync() =>
            (await _client.GetFromJsonAsync<JsonElement>("/v1/models").ConfigureAwait(false))[0];
    }
}
