using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>Labels that name several classes, or give each a probability: the same in CSV and in JSON.</summary>
public sealed class LabelTests
{
    private static readonly RecordSchema Schema = new() { Features = ["a"], Label = "label" };

    [Theory]
    [InlineData("[\"x\", \"y\"]", "[\"x\",\"y\"]")]
    [InlineData("[1, 2.0]", "[\"1\",\"2\"]")]
    [InlineData("[\"x\"]", "x")]
    [InlineData("[]", null)]
    [InlineData("{}", null)]
    [InlineData("{\"not\": \"x\"}", "{\"not\":[\"x\"]}")]
    [InlineData("{\"not\": [\"x\", 3]}", "{\"not\":[\"x\",\"3\"]}")]
    [InlineData("{\"not\": 1}", "{\"not\":[\"1\"]}")]
    [InlineData("{\"not\": 7}", "{\"not\":[\"7\"]}")]
    [InlineData("{\"x\": 0.7, \"y\": 0.3}", "{\"x\":0.7,\"y\":0.3}")]
    [InlineData("{\"x\": 0.33, \"y\": 0.33, \"1.0\": 0.33}", "{\"x\":0.33,\"y\":0.33,\"1\":0.33}")]
    [InlineData("{\"x\": 1, \"y\": 0}", "x")]
    [InlineData("{\"not\": 0.4, \"x\": 0.6}", "{\"not\":0.4,\"x\":0.6}")]
    public void Label_OfSeveral_IsOneTextHoweverItIsWritten(string written, string? label)
    {
        string quoted = written.Replace("\"", "\"\"", StringComparison.Ordinal),
            escaped = written.Replace("\"", "\\\"", StringComparison.Ordinal);
        Assert.Equal(label, Decoded.Batch(RecordFormat.Csv, Schema, $"a,label\n1,\"{quoted}\"\n").Label(0));
        // As a value of its own, as a text, and again and again, when the record's shape is known.
        RecordBatch lines = Decoded.Batch(RecordFormat.Ndjson, Schema, string.Concat(Enumerable.Repeat(
            $"{{\"a\":1,\"label\":{written}}}\n{{\"a\":2,\"label\":\"{escaped}\"}}\n{{\"label\":{written},\"a\":3}}\n", 5)));
        Assert.Empty(lines.Rejected);
        Assert.All(Enumerable.Range(0, 15), row => Assert.Equal(label, lines.Label(row)));
    }

    [Theory]
    [InlineData("[unknown]")]
    [InlineData("{x}")]
    [InlineData("[a|b]")]
    [InlineData("a or b")]
    [InlineData("not a")]
    public void Label_ThatIsNoJson_IsAName(string text) =>
        Assert.Equal(text, Decoded.Batch(RecordFormat.Csv, Schema, $"a,label\n1,{text}\n").Label(0));

    [Theory]
    [InlineData("{\"x\": 0.7, \"y\": 0.7}", "probabilities that do not sum to 1, expected 1 but for rounding (at most 0.02)")]
    [InlineData("{\"x\": 0}", "probabilities that do not sum to 1, expected 1 but for rounding (at most 0.02)")]
    [InlineData("{\"x\": -0.5, \"y\": 1.5}", "what is no probability, expected a number from 0 to 1 for every class")]
    [InlineData("{\"x\": \"often\"}", "what is no probability, expected a number from 0 to 1 for every class")]
    [InlineData("[\"x\", null]", "a set that holds what is no name, expected names: [\"a\", \"b\"]")]
    [InlineData("[[\"x\"]]", "a set that holds what is no name, expected names: [\"a\", \"b\"]")]
    [InlineData("[\"x\", \"n/a\"]", "a class without a name among several, expected names")]
    [InlineData("{\"not\": {}}", "what is no name, expected {\"not\": \"a\"} or {\"not\": [\"a\", \"b\"]}")]
    [InlineData("{\"not\": \"x\", \"y\": 1}", "more than what it is not, expected {\"not\": \"a\"} or {\"not\": [\"a\", \"b\"]}")]
    public void Label_OfSeveralThatCannotBe_RejectsTheRecordAndSaysWhy(string written, string reason)
    {
        string quoted = written.Replace("\"", "\"\"", StringComparison.Ordinal);
        RejectedRecord csv = Decoded.Batch(RecordFormat.Csv, Schema, $"a,label\n1,\"{quoted}\"\n").OnlyRejected(),
            json = Decoded.Batch(RecordFormat.Ndjson, Schema, $"{{\"a\":1,\"label\":{written}}}\n").OnlyRejected();
        Assert.Equal((RejectionReason.OutOfRange, RejectionReason.OutOfRange), (csv.Reason, json.Reason));
        Assert.StartsWith($"column 'label' holds {reason}", csv.Detail, StringComparison.Ordinal);
        Assert.StartsWith($"field 'label' holds {reason}", json.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Field_ThatIsAFeatureToo_TakesNoList()
    {
        RejectedRecord rejected =
            Decoded.Batch(RecordFormat.Ndjson, Schema with { Label = "a" }, "{\"a\":[1,2]}\n").OnlyRejected();
        Assert.Equal((RejectionReason.NotANumber, "field 'a' holds an array, expected a single value"), (rejected.Reason, rejected.Detail));
    }
}
