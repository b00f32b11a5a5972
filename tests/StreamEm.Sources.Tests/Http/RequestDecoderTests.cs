using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Http;

namespace StreamEm.Sources.Tests.Http;

public sealed class RequestDecoderTests
{
    private readonly RequestDecoder _requests = new(new RecordSchema { Features = ["x"] });

    [Theory]
    [InlineData("{\"records\":[{\"x\":1}, {\"x\": 2}]}", RequestFormat.Json, true, "1 2")]
    [InlineData("[{\"x\":1}, {\"x\": 2}]", RequestFormat.Json, false, "1 2")]
    [InlineData("{\"x\":1}", RequestFormat.Json, false, "1")]
    [InlineData("{\"records\":[]}", RequestFormat.Json, true, "")]
    [InlineData("\uFEFF{\"x\":1}\r\n \t\r\n\n{\"x\":2}", RequestFormat.Ndjson, false, "1 2")]
    [InlineData("", RequestFormat.Ndjson, false, "")]
    public void Decode_RecordsFound_AreDecodedInTheirOrder(string text, RequestFormat format, bool areNamed, string expected)
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        var batch = new RecordBatch(1);

        Assert.True(_requests.TryFind(body, format, out string? problem));
        for (int i = 0; i < _requests.Count; i++) Assert.True(_requests.Decode(body, i, 7 + i, batch));

        Assert.Null(problem);
        Assert.Equal(areNamed, _requests.AreNamed);
        Assert.Equal(expected, string.Join(' ', batch.Records.Values.ToArray()));
        Assert.All(Enumerable.Range(0, batch.Count), row => Assert.Equal(8 + row, batch.NextOffset(row)));
    }

    [Fact]
    public void Decode_OneThatCannotBeUsed_IsRejectedAndTheNextIsNot()
    {
        byte[] body = "{\"x\":1}\nrubbish\n{\"x\":2}"u8.ToArray();
        var batch = new RecordBatch(1);
        _requests.TryFind(body, RequestFormat.Ndjson, out _);

        Assert.Equal([true, false, true], Enumerable.Range(0, _requests.Count).Select(i => _requests.Decode(body, i, i, batch)));

        RejectedRecord rejected = Assert.Single(batch.Rejected);
        Assert.Equal((RejectionReason.JsonSyntax, 1L, "rubbish", 1), (rejected.Reason, rejected.Offset, rejected.Text, rejected.BeforeRow));
    }

    [Fact]
    public void TryFind_AfterAnotherRequest_KnowsNothingOfIt()
    {
        Assert.True(_requests.TryFind("{\"records\":[{\"x\":1}]}"u8, RequestFormat.Json, out _));

        Assert.False(_requests.TryFind("{"u8, RequestFormat.Json, out string? problem));

        Assert.False(_requests.AreNamed);
        Assert.Contains("the body is not JSON", problem, StringComparison.Ordinal);
    }
}
