using System.Text;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Keys;

/// <summary>States of many keys, of which few are in memory.</summary>
public sealed class KeyStoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void States_ThatHaveNoRoomInMemory_ComeBackAsTheyWere()
    {
        using var log = new KeyLog(_directory["keys"], segmentBytes: 4000);
        var store = new KeyStore(maxKeys: 3, log);
        var expected = new Dictionary<string, string>(StringComparer.Ordinal);
        var random = new Random(1);
        for (int at = 0; at < 5000; at++)
        {
            string key = $"key {random.Next(50)}";
            Assert.Equal(expected.GetValueOrDefault(key, ""), Text(store.Read(key)));
            expected[key] = new string((char)('a' + at % 26), random.Next(400)) + at;
            store.Write(key, Encoding.UTF8.GetBytes(expected[key]));
            if (at % 500 != 499) continue;
            store.Capture();
            log.MakeDurable();
        }
        Assert.Equal((50, 3), (store.Count, store.InMemory));
        Assert.True(store.Returned > 4000);
    }

    [Fact]
    public void Open_OfAMark_HasTheStatesAsTheyWereThen_WhateverCameAfter()
    {
        KeyLogMark mark;
        var expected = new Dictionary<string, string>(StringComparer.Ordinal);
        using (var log = new KeyLog(_directory["keys"], segmentBytes: 3000))
        {
            var store = new KeyStore(maxKeys: 4, log);
            Change(store, expected, 300, seed: 2);
            mark = store.Capture();
            log.MakeDurable();
            Change(store, new Dictionary<string, string>(StringComparer.Ordinal), 200, seed: 3);
            log.MakeDurable();
        }

        for (int round = 0; round < 3; round++)
        {
            using var log = new KeyLog(_directory["keys"], segmentBytes: 3000);
            var store = new KeyStore(maxKeys: 4, log);
            store.Open(mark);
            foreach ((string key, string text) in expected) Assert.Equal(text, Text(store.Read(key)));
            Change(store, expected, 100, seed: 4 + round);
            mark = store.Capture();
            log.MakeDurable();
        }
    }

    [Fact]
    public void Log_OfStatesThatChangeAgainAndAgain_StaysWithinAFewTimesTheirBytes_AndLosesNone()
    {
        var expected = new Dictionary<string, string>(StringComparer.Ordinal);
        KeyLogMark mark = new(0, []);
        using (var log = new KeyLog(_directory["keys"], segmentBytes: 2000))
        {
            var store = new KeyStore(maxKeys: 5, log);
            // Keys that never change again, among those that do.
            for (int key = 0; key < 20; key++) Put(store, expected, $"still {key}", $"never changed {key}");
            for (int round = 0; round < 100; round++)
            {
                Change(store, expected, 60, seed: round);
                mark = store.Capture();
                log.MakeDurable();
                log.DeleteUnused(mark.Segments.Select(segment => segment.Number).ToHashSet());
            }

            long live = expected.Sum(entry => entry.Key.Length + entry.Value.Length + 16);
            Assert.InRange(new DirectoryInfo(_directory["keys"]).EnumerateFiles().Sum(file => file.Length), live, 4 * live + 40 * 2000);
        }

        using var again = new KeyLog(_directory["keys"]);
        var read = new KeyStore(maxKeys: 100, again);
        read.Open(mark);
        Assert.Equal(expected.Count, read.Count);
        foreach ((string key, string text) in expected) Assert.Equal(text, Text(read.Read(key)));
    }

    [Fact]
    public void Files_ThatAKeptCheckpointNames_AreNotDeleted()
    {
        using var log = new KeyLog(_directory["keys"], segmentBytes: 500);
        var store = new KeyStore(maxKeys: 2, log);
        Change(store, new Dictionary<string, string>(StringComparer.Ordinal), 40, seed: 1);
        KeyLogMark first = store.Capture();
        log.MakeDurable();
        for (int round = 0; round < 60; round++)
        {
            Change(store, new Dictionary<string, string>(StringComparer.Ordinal), 60, seed: round);
            KeyLogMark mark = store.Capture();
            log.MakeDurable();
            log.DeleteUnused(first.Segments.Concat(mark.Segments).Select(segment => segment.Number).ToHashSet());
        }

        using var again = new KeyLog(_directory["keys"]);
        new KeyStore(maxKeys: 100, again).Open(first);
    }

    [Fact]
    public void Open_OfAFileThatIsDamagedOrGoneOrShort_IsRefused()
    {
        KeyLogMark mark;
        using (var log = new KeyLog(_directory["keys"]))
        {
            var store = new KeyStore(maxKeys: 2, log);
            Change(store, new Dictionary<string, string>(StringComparer.Ordinal), 30, seed: 1);
            mark = store.Capture();
            log.MakeDurable();
        }

        string file = Directory.GetFiles(_directory["keys"]).Single();
        byte[] whole = File.ReadAllBytes(file);
        for (int at = 0; at < mark.Segments[0].Length; at += 7)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x40;
            File.WriteAllBytes(file, damaged);
            Refused();
        }

        File.WriteAllBytes(file, whole[..^1]);
        Refused();
        File.Delete(file);
        Refused();

        void Refused()
        {
            using var log = new KeyLog(_directory["keys"]);
            Assert.Throws<InvalidDataException>(() => new KeyStore(maxKeys: 2, log).Open(mark));
        }
    }

    [Fact]
    public void Disk_ThatIsFull_LosesNothing_AndIsWrittenOnceThereIsRoom()
    {
        using var log = new KeyLog(_directory["keys"]);
        var store = new KeyStore(maxKeys: 2, log);
        var expected = new Dictionary<string, string>(StringComparer.Ordinal);
        Change(store, expected, 30, seed: 1);
        KeyLogMark mark = store.Capture();
        Worker.Storage.DurableFile.Watcher.Value = step =>
        {
            if (step.Act == Worker.Storage.DurableAct.Write) throw new IOException("full", Worker.Storage.DurableFile.NoSpaceLeft);
        };
        Assert.Throws<IOException>(log.MakeDurable);
        Worker.Storage.DurableFile.Watcher.Value = null;
        foreach ((string key, string text) in expected) Assert.Equal(text, Text(store.Read(key)));

        log.MakeDurable();

        using var again = new KeyLog(_directory["keys"]);
        var read = new KeyStore(maxKeys: 2, again);
        read.Open(mark);
        foreach ((string key, string text) in expected) Assert.Equal(text, Text(read.Read(key)));
    }

    private static void Change(KeyStore store, Dictionary<string, string> expected, int times, int seed)
    {
        var random = new Random(seed);
        for (int at = 0; at < times; at++) Put(store, expected, $"k{random.Next(12)}", new string('x', random.Next(90)) + seed + " " + at);
    }

    private static void Put(KeyStore store, Dictionary<string, string> expected, string key, string text)
    {
        store.Write(key, Encoding.UTF8.GetBytes(text));
        expected[key] = text;
    }

    private static string Text(ReadOnlySpan<byte> state) => Encoding.UTF8.GetString(state);
}
