using StreamEm.Core.Features;

namespace StreamEm.Core.Tests.Features;

public sealed class RecordFilterTests
{
    [Theory]
    [InlineData("kind==\"pump\"", "kind == \"pump\"")]
    [InlineData("  kind  ==  'pump'  ", "kind == \"pump\"")]
    [InlineData("a.b > 1e3 AND not (c <= -.5)", "a.b > 1000 and not c <= -0.5")]
    [InlineData("a > 1 or b > 1 and c > 1", "a > 1 or b > 1 and c > 1")]
    [InlineData("(a > 1 or b > 1) and c > 1", "(a > 1 or b > 1) and c > 1")]
    [InlineData("((a > 1)) and (b > 1 and c > 1)", "a > 1 and b > 1 and c > 1")]
    [InlineData("not (a > 1 and b > 1)", "not (a > 1 and b > 1)")]
    [InlineData("not not a > 1", "not not a > 1")]
    [InlineData("state in ('on', \"idle\")", "state in [\"on\", \"idle\"]")]
    [InlineData("state not in [1, null, true]", "state not in [1, null, true]")]
    [InlineData("`engine speed` >= 3", "`engine speed` >= 3")]
    [InlineData("`in` != 'it\\'s \"so\\\\\"'", "`in` != \"it's \\\"so\\\\\\\"\"")]
    [InlineData("`speed` < 3", "speed < 3")]
    [InlineData("@type == 'x' and größe > 1", "@type == \"x\" and größe > 1")]
    [InlineData("x == -0", "x == 0")]
    public void Parse_WaysToWriteIt_HaveOneSpelling(string text, string canonical)
    {
        var filter = RecordFilter.Parse(text, out FilterProblem? problem);

        Assert.Null(problem);
        Assert.Equal(canonical, filter!.ToString());
        Assert.Equal(canonical, RecordFilter.Parse(canonical, out _)!.ToString());
    }

    [Theory]
    [InlineData("", 0, "the expression is empty; expected a comparison such as kind == \"pump\"")]
    [InlineData("kind = \"pump\"", 5, "'=' is not known here; write ==")]
    [InlineData("a > 1 && b > 1", 6, "'&&' is not known here; write and")]
    [InlineData("a > 1 | b > 1", 6, "'|' is not known here; write or")]
    [InlineData("a <> 1", 2, "'<>' is not known here; write !=")]
    [InlineData("!a > 1", 0, "'!' is not known here; write not")]
    [InlineData("kind == pump", 8, "found 'pump'; a field is compared with a value; a text is written in quotes: \"pump\"")]
    [InlineData("3 < speed", 0,
        "found '3'; the field comes first: write speed > 3, not 3 < speed; a field whose name is no plain word is written in backquotes")]
    [InlineData("engine speed > 3", 7,
        "found 'speed'; expected ==, !=, <, <=, >, >= or in after the field's name; a name with blanks is written in backquotes")]
    [InlineData("a > 1 b > 1", 6, "found 'b'; expected 'and', 'or' or the end")]
    [InlineData("a > 1 and", 9, "found the end; expected a field's name; one that is a word of the expression is written in backquotes")]
    [InlineData("(a > 1", 0, "this bracket is not closed")]
    [InlineData("a > 1)", 5, "found ')'; this bracket was never opened")]
    [InlineData("a in [1, 2", 5, "this list is not closed")]
    [InlineData("a in 1", 5, "found '1'; expected a list such as [\"on\", \"idle\"]")]
    [InlineData("a not 1", 6, "found '1'; expected 'in'")]
    [InlineData("a is null", 2, "'is' is not known here; write == null or != null")]
    [InlineData("a < null", 4, "null is neither more nor less than others; compare with == or !=")]
    [InlineData("a == 'x", 5, "the text that begins here is not closed with '")]
    [InlineData("`a == 1", 0, "the name that begins here is not closed with a backquote")]
    [InlineData("a == 1e999", 5,
        "'1e999' is no number; the name of a field that begins with a digit is written in backquotes, a text in quotes")]
    [InlineData("a == ;", 5, "';' is not known here; expected a comparison such as kind == \"pump\"")]
    [InlineData("a == \u0007", 5, "'\\u0007' is not known here; expected a comparison such as kind == \"pump\"")]
    public void Parse_Mistake_IsToldAtItsPlace(string text, int position, string message)
    {
        Assert.Null(RecordFilter.Parse(text, out FilterProblem? problem));

        Assert.Equal((position, message), (problem!.Position, problem.Message.Replace("found 'is'; ", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void Parse_FarTooMuch_IsRefusedAndNeverOverflows()
    {
        Assert.NotNull(RecordFilter.Parse(string.Join(" or ", Enumerable.Repeat("a > 1", RecordFilter.MaxTests)), out _));
        foreach (string text in (string[])
            [string.Join(" or ", Enumerable.Repeat("a > 1", RecordFilter.MaxTests + 1)), new string('(', 5000), new string('x', 100_000)])
            Assert.Null(RecordFilter.Parse(text, out _));
    }

    [Fact]
    public void Fields_OfSeveralComparisons_AreEachThereOnce() =>
        Assert.Equal(["b", "a"], RecordFilter.Parse("b > 1 and a > 1 or b < -1", out _)!.Fields);
}
