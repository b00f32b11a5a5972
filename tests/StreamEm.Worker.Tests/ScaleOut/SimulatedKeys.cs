using System.Globalization;
using System.Text;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>
/// One partition of a source, its partition of the topic of keys and workers that have it in turn, on one thread, with every step chosen by
/// a seed: workers that are killed with half of their states written, that go on for a while after others have the partition, whose last
/// messages come late; ranges that are worked on anew; and a topic that is compacted now and then. Owners may begin with a copy of the
/// topic as it once was.
/// </summary>
/// <param name="seed">Which.</param>
/// <param name="directory">Where owners have those states that have no room in memory.</param>
/// <param name="copies">How many follow the topic, one here and one there.</param>
internal sealed class SimulatedKeys(int seed, string directory, int copies = 0) : IDisposable
{
    public const int Records = 1200, Keys = 7;
    private const string Partition = "x/0";

    private static readonly (int Key, double Value)[] All = [.. Enumerable.Range(0, Records).Select(RecordAt)];

    private readonly Random _random = new(seed);
    private readonly List<(long Offset, KeyMessage Message)> _topic = [];
    private readonly Queue<KeyMessage> _late = new();
    private readonly List<Owner> _past = [];
    private readonly KeyCopy[] _copies = [.. Enumerable.Range(0, copies).Select(number =>
        new KeyCopy(Path.Combine(Directory.CreateDirectory(directory).FullName, $"{number}.skc"), start: 0, identity: null))];
    private long _end, _tenures;
    private Owner? _owner;

    /// <summary>Records that owners began before their marks, because a state was in doubt.</summary>
    public long ReadAgain { get; private set; }

    /// <summary>Records that owners had not to read because the topic had what they say.</summary>
    public long Spared { get; private set; }

    /// <summary>Records that owners had from copies, and from the topic beside them.</summary>
    public (long Copied, long Others) Took { get; private set; }

    public static ModelOptions Options { get; } = new()
    {
        Id = "machines",
        Source = new StdinSourceOptions(),
        Schema = new RecordSchema { Features = ["x"], Key = "machine" },
        Model = ModelCatalog.MixtureOf(new GaussianOptions(), components: 3),
        Learning = new LearningOptions { Learn = LearnMode.Always, DeadComponents = DeadComponents.Keep },
        PerKey = true,
        MaxKeys = 3,
        ScaleOut = new ScaleOutOptions { StatisticsTopic = "statistics", ModelTopic = "model" },
    };

    /// <summary>The states of all keys of whoever reads all records alone.</summary>
    public static Dictionary<string, byte[]> Alone()
    {
        using var part = new KeyedPartition(Options, Partition, Guid.Empty, directory: null);
        part.Begin(new PartitionPosition(0));
        Feed(part, 0, Records);
        return StatesOf(part);
    }

    /// <summary>Runs with faults, then lets one owner read all there is.</summary>
    /// <returns>The states of all keys.</returns>
    public Dictionary<string, byte[]> Run()
    {
        for (int step = 0; step < 900; step++) Step();
        foreach (Owner past in _past) past.Part.Dispose();
        _past.Clear();
        while (_late.Count > 0) Append(_late.Dequeue());
        Compact();
        Owner last = Begin();
        Feed(last.Part, last.Next, Records);
        return StatesOf(last.Part);
    }

    public void Dispose()
    {
        _owner?.Part.Dispose();
        foreach (KeyCopy copy in _copies) copy.Dispose();
    }

    private void Step()
    {
        Owner owner = _owner ??= Begin();
        int chance = _random.Next(100);
        if (chance < 45) Read(owner);
        else if (chance < 60) Write(owner);
        else if (chance < 80) Send(owner);
        else if (chance < 84) owner.Next = Math.Max(0, owner.Next - _random.Next(60));
        else if (chance < 88) Compact();
        else if (chance < 91 && _late.Count > 0) Append(_late.Dequeue());
        else if (chance < 95) Zombie();
        else if (chance < 97) Replace(owner);
        else if (_copies.Length > 0) Follow(_copies[_random.Next(_copies.Length)]);
    }

    /// <summary>A copy takes some of what has come since it was last looked at.</summary>
    private void Follow(KeyCopy copy)
    {
        foreach ((long offset, KeyMessage message) in _topic.Where(one => one.Offset >= copy.Next).Take(_random.Next(80)).ToArray())
            copy.Append(offset, message.Name, message.Value, epoch: null);
        if (_random.Next(3) == 0) copy.TryTidy(() => false);
    }

    /// <summary>The owner is killed, gives up in order, or does not hear that it is none any more.</summary>
    private void Replace(Owner owner)
    {
        _owner = null;
        switch (_random.Next(3))
        {
            case 0:
                // What it had under way gets there after all, or not.
                if (_random.Next(2) == 0)
                    foreach (KeyMessage message in owner.Sent) _late.Enqueue(message);
                owner.Part.Dispose();
                break;
            case 1:
                Write(owner);
                while (owner.Sent.Count > 0) Append(owner.Sent.Dequeue());
                owner.Part.Dispose();
                break;
            default:
                _past.Add(owner);
                break;
        }
    }

    /// <summary>One who does not know that it has lost the partition goes on.</summary>
    private void Zombie()
    {
        if (_past.Count == 0) return;
        Owner past = _past[_random.Next(_past.Count)];
        switch (_random.Next(4))
        {
            case 0: Read(past); break;
            case 1: Write(past); break;
            case 2: Send(past); break;
            default:
                _past.Remove(past);
                past.Part.Dispose();
                break;
        }
    }

    private Owner Begin()
    {
        Guid tenure = Tenure();
        // Some have room for three keys only.
        var part = new KeyedPartition(Options, Partition, tenure, _random.Next(4) == 0 ? Path.Combine(directory, $"{tenure}") : null);
        KeyHistory history = part.ReadHistory();
        KeyCopy? copy = _copies.Length > 0 ? _copies[_random.Next(_copies.Length)] : null;
        long copied = copy?.Read(history.Take) ?? 0;
        (long Offset, KeyMessage Message)[] rest = [.. _topic.Where(one => one.Offset >= (copy?.Next ?? 0))];
        foreach ((long offset, KeyMessage message) in rest) history.Take(offset, message.Name, message.Value);
        Took = (Took.Copied + copied, Took.Others + rest.Length);
        KeyStart? start = history.Finish();
        part.Restore(start, _end);
        var owner = new Owner(part);
        if (start is null)
        {
            part.Begin(new PartitionPosition(0));
            Append(Captured(part)[^1]);
        }

        // The model of all stands anywhere: what both know is not read.
        long stands = _random.Next(Records);
        owner.Next = part.Place(new PartitionPosition(stands))!.Next;
        ReadAgain += start is null ? 0 : start.Marked - start.Position;
        Spared += owner.Next;
        return owner;
    }

    private Guid Tenure()
    {
        byte[] bytes = new byte[16];
        BitConverter.TryWriteBytes(bytes, ++_tenures);
        return new Guid(bytes);
    }

    private void Read(Owner owner)
    {
        long to = Math.Min(owner.Next + _random.Next(1, 9), Records);
        Feed(owner.Part, owner.Next, to);
        owner.Next = to;
    }

    /// <summary>States go one after another, and the mark when all of them are there.</summary>
    private static void Write(Owner owner)
    {
        if (owner.Sent.Count > 0) return;
        foreach (KeyMessage message in Captured(owner.Part)) owner.Sent.Enqueue(message);
        owner.Part.Tidy();
    }

    private void Send(Owner owner)
    {
        for (int count = _random.Next(1, 4); count > 0 && owner.Sent.Count > 0; count--) Append(owner.Sent.Dequeue());
    }

    private static List<KeyMessage> Captured(KeyedPartition part)
    {
        List<KeyMessage> messages = [.. part.Capture()];
        if (part.Mark() is { } mark) messages.Add(mark);
        return messages;
    }

    private void Append(KeyMessage message) => _topic.Add((_end++, message));

    /// <summary>Of the first so many of the topic each name's last stays.</summary>
    private void Compact()
    {
        int upTo = _random.Next(_topic.Count + 1);
        var last = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach ((long offset, KeyMessage message) in _topic.Take(upTo)) last[Encoding.UTF8.GetString(message.Name)] = offset;
        long end = upTo < _topic.Count ? _topic[upTo].Offset : _end;
        _topic.RemoveAll(one => one.Offset < end && last[Encoding.UTF8.GetString(one.Message.Name)] != one.Offset);
    }

    private static void Feed(KeyedPartition part, long from, long to)
    {
        if (from == to) return;
        var batch = new RecordBatch(Options.Schema, (int)(to - from));
        batch.Clear(Partition, identity: null, from);
        for (long offset = from; offset < to; offset++)
        {
            (int key, double value) = All[offset];
            batch.NextRow[0] = value;
            batch.Commit(offset + 1, 1, key: batch.Texts.Number(Encoding.UTF8.GetBytes(NameOf(key))));
        }

        for (int row = 0, count; row < batch.Count; row += count)
        {
            count = part.CountAlike(batch, row, batch.Count - row);
            part.Take(new TakenRecords(batch, row, count, batch.Records));
        }

        part.Reach(to);
    }

    /// <summary>A key comes for a while and is then silent; two of them come always.</summary>
    private static (int Key, double Value) RecordAt(int offset)
    {
        var random = new Random(offset);
        int turn = offset / 150 % (Keys - 2) + 2, key = random.Next(3) > 0 ? turn : random.Next(2);
        return (key, 10 * key + 5 * random.Next(2) + random.NextDouble());
    }

    private static string NameOf(int key) => key == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"m{key}");

    private static Dictionary<string, byte[]> StatesOf(KeyedPartition part) =>
        part.States(Enumerable.Range(0, Keys).Select(NameOf)).ToDictionary(one => one.Key, one => one.State, StringComparer.Ordinal);

    /// <summary>A worker that has the partition, or believes so.</summary>
    private sealed class Owner(KeyedPartition part)
    {
        public KeyedPartition Part => part;

        public Queue<KeyMessage> Sent { get; } = new();

        public long Next { get; set; }
    }
}
