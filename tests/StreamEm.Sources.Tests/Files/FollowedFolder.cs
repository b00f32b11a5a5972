using System.Globalization;
using System.IO.Compression;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Paths;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Files;

/// <summary>A folder that a source follows, and the state of whoever learns from it.</summary>
internal sealed class FollowedFolder : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);
    private static readonly RecordSchema Schema = new() { Features = ["a"] };

    private readonly TemporaryFolder _folder = new();
    private readonly AwaitedTime _time = new();
    private readonly RecordBatch _batch;
    private readonly List<string> _told = [];
    private readonly List<string> _trace = [];
    private Task<bool>? _reading;
    private CancellationTokenSource? _stop;
    private FileSource? _source;

    public FollowedFolder(int capacity = 1024) => _batch = new RecordBatch(1, capacity);

    /// <summary>What was learned so far.</summary>
    public List<double> Learned { get; } = [];

    /// <summary>How many records were rejected.</summary>
    public int Rejected { get; private set; }

    /// <summary>What was read since this was asked last.</summary>
    public string TakeTrace()
    {
        string text = string.Join(' ', _trace);
        _trace.Clear();
        return text;
    }

    /// <summary>Where it stands.</summary>
    public SourcePosition Position { get; set; } = new();

    /// <summary>The format of the files.</summary>
    public RecordFormat Format { get; init; } = RecordFormat.Csv;

    /// <summary>Size of the read buffer.</summary>
    public int BufferBytes { get; init; } = 256;

    /// <summary>What the worker writes.</summary>
    public OwnFiles Own { get; set; } = OwnFiles.None;

    /// <summary>The folder.</summary>
    public string Path => _folder.Path;

    /// <summary>The names of the partitions that are there.</summary>
    public IEnumerable<string> Partitions => Known.Select(pair => System.IO.Path.GetFileName(pair.Key));

    /// <summary>Their offsets.</summary>
    public IEnumerable<long> Offsets => Known.Select(pair => pair.Value.Next);

    /// <summary>Why something cannot be read; the folder's own path is left out.</summary>
    public string SetAside =>
        string.Join('\n', _source!.SetAside.Select(part => part.Reason)).Replace(Path + "/", "", StringComparison.Ordinal);

    /// <summary>What a person was told of.</summary>
    public IReadOnlyList<string> Told => _told;

    public FileSource Source => _source!;

    private IEnumerable<KeyValuePair<string, PartitionPosition>> Known => Position.Partitions.Where(pair => pair.Value.File?.Gone is null);

    public string File(string name) => _folder.File(name);

    public void Write(string name, string text) => _folder.Write(name, text);

    public void Append(string name, string text) => _folder.Append(name, text);

    public void Move(string from, string to) => System.IO.File.Move(File(from), File(to), overwrite: true);

    public void Copy(string from, string to) => System.IO.File.Copy(File(from), File(to), overwrite: true);

    public void AppendBytes(string name, byte[] bytes)
    {
        using FileStream file = System.IO.File.Open(File(name), FileMode.Append);
        file.Write(bytes);
    }

    public static byte[] Gzip(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }

    /// <summary>The text compressed as the ending of a name says.</summary>
    public static byte[] Compressed(string text, string name)
    {
        if (!name.EndsWith(".zst", StringComparison.Ordinal)) return Gzip(text);
        using var compressor = new ZstdSharp.Compressor();
        return compressor.Wrap(Encoding.UTF8.GetBytes(text)).ToArray();
    }

    /// <summary>Compresses a file beside, gives it its name, and deletes the original.</summary>
    public void Compress(string from, string to)
    {
        System.IO.File.WriteAllBytes(File("compressing"), Compressed(System.IO.File.ReadAllText(File(from)), to));
        Move("compressing", to);
        System.IO.File.Delete(File(from));
    }

    public void Open(params string[] names) => Open(follow: true, names);

    public void Open(bool follow, params string[] names) => _source = new FileSource(
        new FileSourceOptions
        {
            Path = [.. names.Select(File)],
            Follow = follow,
            Format = Format,
            BufferBytes = BufferBytes,
            PollInterval = PollInterval,
        },
        new SourceContext(Schema, Position.Copy(), _time) { Own = Own, Tell = _told.Add });

    public async Task CloseAsync()
    {
        if (_reading is not null)
        {
            await _stop!.CancelAsync();
            // What was read and not taken is as good as not read.
            await Task.WhenAny(_reading);
            _stop.Dispose();
            _stop = null;
            _reading = null;
        }
        if (_source is not null) await _source.DisposeAsync();
        _source = null;
    }

    /// <summary>The values read until the source has to wait, after a change, which happens while it waits, and some polls more.</summary>
    public async Task<string> ReadAsync(Action? change = null, int polls = 1)
    {
        int from = Learned.Count;
        if (change is not null)
        {
            await ReadUntilIdleAsync();
            change();
        }
        for (int poll = 0; poll < polls && await ReadUntilIdleAsync(); poll++) _time.Elapse(PollInterval);
        await ReadUntilIdleAsync();
        return string.Join(' ', Learned.Skip(from).Select(value => value.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Reads one batch, if there is one without waiting.</summary>
    /// <returns>Whether there was.</returns>
    public async Task<bool> ReadBatchAsync()
    {
        _stop ??= new CancellationTokenSource();
        _reading ??= Source.ReadAsync(_batch, _stop.Token).AsTask();
        if (!_reading.IsCompleted) await Task.WhenAny(_reading, _time.WaitedForAsync());
        if (!_reading.IsCompleted) return false;
        Task<bool> reading = _reading;
        _reading = null;
        if (!await reading) return false;
        Learned.AddRange(_batch.Records.Values.ToArray());
        _trace.Add($"{System.IO.Path.GetFileName(_batch.PartitionName)}:{string.Join(',', _batch.Records.Values.ToArray())}");
        Rejected += _batch.Rejected.Count;
        foreach (MovedPartition moved in _batch.Moved) Position.Take(moved);
        Position.Set(_batch.PartitionName, _batch.EndPosition);
        return true;
    }

    public void Elapse() => _time.Elapse(PollInterval);

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _folder.Dispose();
    }

    /// <returns>Whether the source waits; false when it has ended.</returns>
    private async Task<bool> ReadUntilIdleAsync()
    {
        while (await ReadBatchAsync())
        {
        }
        return _reading is not null;
    }
}
