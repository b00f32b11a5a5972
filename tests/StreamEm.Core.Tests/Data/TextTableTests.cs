using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Data;

public sealed class TextTableTests
{
    [Fact]
    public void Number_OfTexts_IsTheirOrderOfFirstAppearance()
    {
        var table = new TextTable();
        Assert.Equal([0, 1, 0, 2, 1], [table.Number("a"), table.Number("b"), table.Number("a"), table.Number(""), table.Number("b"u8)]);
        Assert.Equal((3, "a", "b", ""), (table.Count, table[0], table[1], table[2]));
        Assert.Null(table.Find(TextTable.None));
        Assert.Equal("b", table.Find(1));
    }

    [Fact]
    public void Number_OfAnyTexts_IsThatOfADictionary() => Prop.ForAll(ArbMap.Default.ArbFor<string[]>(), texts =>
    {
        var table = new TextTable();
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string? text in texts)
        {
            // Lone halves of surrogate pairs have no UTF-8 of their own.
            string valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));
            if (!known.TryGetValue(valid, out int expected)) known.Add(valid, expected = known.Count);
            Assert.Equal(expected, table.Number(valid));
            Assert.Equal(expected, table.Number(Encoding.UTF8.GetBytes(valid)));
            Assert.Equal(valid, table[expected]);
        }
        Assert.Equal(known.Count, table.Count);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(50_000)]
    public void Number_OfManyTexts_StaysWithThem(int count)
    {
        var table = new TextTable();
        for (int number = 0; number < count; number++) Assert.Equal(number, table.Number($"text {number}"));
        for (int number = count - 1; number >= 0; number--) Assert.Equal(number, table.Number(Encoding.UTF8.GetBytes($"text {number}")));
        Assert.Equal($"text {count / 2}", table[count / 2]);
    }

    [Fact]
    public void Number_OfALongText_IsThatOfItsBytes()
    {
        var table = new TextTable();
        string text = new('ß', 4000);
        Assert.Equal(0, table.Number(text));
        Assert.Equal(0, table.Number(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(text, table[0]);
    }
}
