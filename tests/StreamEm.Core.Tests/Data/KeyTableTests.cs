using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Data;

public sealed class KeyTableTests
{
    [Fact]
    public void Touch_MoreKeysThanSlots_TakesTheSlotNotMetForLongest()
    {
        var table = new KeyTable(2);
        Assert.Equal((0, true), Touch(table, "a"));
        Assert.Equal((1, true), Touch(table, "b"));
        Assert.Equal((0, false), Touch(table, "a"));
        Assert.Equal((1, true), Touch(table, "c"));
        Assert.Equal((0, false), Touch(table, "a"));
        Assert.Equal((1, true), Touch(table, "b"));
        Assert.Equal((2, 2L), (table.Count, table.Evicted));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 1)]
    [InlineData(9, 0)]
    public void TakeNewest_OfATableOfAnotherSize_KeepsTheKeysMetLast(int capacity, int dropped)
    {
        var table = new KeyTable(4);
        foreach (string key in (string[])["a", "b", "c", "d", "b"]) table.Touch(key, out _);
        string[] kept = [.. ((string[])["a", "c", "d", "b"])[(4 - Math.Min(4, capacity))..]];

        var other = new KeyTable(capacity);
        int[] from = other.TakeNewest(table);

        Assert.Equal(kept.Select(key => Touch(table, key).Slot), from);
        Assert.Equal(4 - kept.Length, other.Evicted);
        Assert.Equal(Enumerable.Range(0, kept.Length).Select(slot => (slot, false)), kept.Select(key => Touch(other, key)));
        if (dropped > 0) Assert.True(Touch(other, "a").IsNew);
    }

    /// <summary>
    /// A list of the keys, those met last at its end, says what the table must do; every so often the table is saved, copied or both.
    /// </summary>
    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 5)]
    [InlineData(7, 20)]
    [InlineData(40, 41)]
    [InlineData(40, 30)]
    public void Touch_AnyKeys_IsWhatAListOfThemSays(int capacity, int keys)
    {
        var chance = new SplitMix64((ulong)(100 * capacity + keys));
        var table = new KeyTable(capacity);
        var order = new List<string>();
        var slots = new Dictionary<string, int>(StringComparer.Ordinal);
        long evicted = 0;
        for (int step = 0; step < 5000; step++)
        {
            string key = $"key {chance.NextInt32(keys)}";
            bool isNew = !slots.TryGetValue(key, out int expected);
            if (isNew && order.Count == capacity)
            {
                slots.Remove(order[0], out expected);
                order.RemoveAt(0);
                evicted++;
            }
            else if (isNew)
            {
                expected = slots.Count;
            }
            order.Remove(key);
            order.Add(key);
            slots[key] = expected;
            Assert.Equal((expected, isNew), Touch(table, key));
            Assert.Equal((slots.Count, evicted), (table.Count, table.Evicted));
            if (step % 701 == 0) table = Reloaded(table);
            if (step % 997 == 0) table = Copied(table);
        }
    }

    [Fact]
    public void CopyFrom_AnotherTable_GoesOnByItself()
    {
        var table = new KeyTable(2);
        Touch(table, "a");
        Touch(table, "b");
        KeyTable copy = Copied(table);
        Touch(copy, "c");
        Assert.Equal((0, false), Touch(table, "a"));
        Assert.Equal((0L, 1L), (table.Evicted, copy.Evicted));
        Assert.Equal("The table has 2 slots; expected 3. (Parameter 'other')",
            Assert.Throws<ArgumentException>(() => new KeyTable(3).CopyFrom(table)).Message);
    }

    [Fact]
    public void Save_TheSameHistory_GivesTheSameBytes()
    {
        KeyTable a = new(3), b = new(3);
        foreach (string key in (string[])["x", "y", "x", "z", "w"])
        {
            Touch(a, key);
            Touch(b, key);
        }
        Assert.Equal(Save(a), Save(b));
        Assert.Equal(Save(a), Save(Reloaded(a)));
    }

    [Fact]
    public void Load_DamagedTables_AreRefused()
    {
        byte[] Of(params (int Slot, string Key)[] entries)
        {
            var stream = new MemoryStream();
            using var writer = new BinaryWriter(stream);
            writer.Write(0L);
            writer.Write(entries.Length);
            foreach ((int slot, string key) in entries)
            {
                writer.Write(slot);
                writer.Write(key);
            }
            return stream.ToArray();
        }
        Assert.Equal(1, Loaded(Of((1, "a")), 2).Count);
        foreach (byte[] damaged in (byte[][])[
            Of((2, "a")), Of((-1, "a")), Of((0, "a"), (0, "b")), Of((0, "a"), (1, "a")), Of((0, "a"), (1, "b"), (2, "c"))])
            Assert.Throws<InvalidDataException>(() => Loaded(damaged, 2));
    }

    private static (int Slot, bool IsNew) Touch(KeyTable table, string key)
    {
        int slot = table.Touch(key, out bool isNew);
        return (slot, isNew);
    }

    private static KeyTable Copied(KeyTable table)
    {
        var copy = new KeyTable(table.Capacity);
        copy.Touch("of before", out _);
        copy.CopyFrom(table);
        return copy;
    }

    private static KeyTable Reloaded(KeyTable table) => Loaded(Save(table), table.Capacity);

    private static byte[] Save(KeyTable table)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        table.Save(writer);
        return stream.ToArray();
    }

    private static KeyTable Loaded(byte[] state, int capacity)
    {
        var table = new KeyTable(capacity);
        table.Load(new BinaryReader(new MemoryStream(state)));
        return table;
    }
}
