using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Http;

namespace StreamEm.Sources.Tests.Http;

public sealed class RequestDecoderTests
{
    private readonly RequestDecoder _requests = new(new RecordSchema { Features = ["x"] });

    [Theory]
    [InlineData("{\"records\":[{\"x\":1}, {\"x\": 2}]}", RequestFormat.Json, "1 2")]
    [InlineData("{\"model\": \"a,]\\\"}\", \"records\" : [{\"x\":1}], \"more\": [[]]}", RequestFormat.Json, "1")]
    [InlineData("[{\"x\":1}, {\"x\": 2}\n]", RequestFormat.Json, "1 2")]
    [InlineData("{\"x\":1}", RequestFormat.Json, "1")]
    [InlineData("\uFEFF{\"x\":1}", RequestFormat.Json, "1")]
    [InlineData("\uFEFF[{\"x\":1},{\"x\":2}]", RequestFormat.Json, "1 2")]
    [InlineData("{\"records\":[]}", RequestFormat.Json, "")]
    [InlineData("{\"\\u0072ecords\":[{\"x\":1},{\"x\":2}]}", RequestFormat.Json, "1 2")]
    [InlineData("{\"\\uD800\":1,\"rec\\u006frds\":[{\"x\":1},{\"x\":2}]}", RequestFormat.Json, "1 2")]
    [InlineData("[ ]", RequestFormat.Json, "")]
    [InlineData("{\"x\":1}\n{\"x\":2}\n", RequestFormat.Json, "1 2")]
    [InlineData("\uFEFF{\"x\":1}\r\n \t\r\n\n{\"x\":2}", RequestFormat.Ndjson, "1 2")]
    [InlineData("[{\"x\":1},\n{\"x\":2}]", RequestFormat.Ndjson, "1 2")]
    [InlineData("x\n1\n2\n", RequestFormat.Csv, "1 2")]
    [InlineData("\uFEFFy,x\r\n0,1\r\n\r\n0,2", RequestFormat.Csv, "1 2")]
    [InlineData("x,note\n1,\"a\nb\"\n2,c\n", RequestFormat.Csv, "1 2")]
    [InlineData("x\n", RequestFormat.Csv, "")]
    public void Decode_EveryShape_YieldsTheRecordsInTheirOrder(string text, RequestFormat format, string expected)
    {
        RecordBatch batch = Decode(text, format);

        Assert.Empty(batch.Rejected);
        Assert.Equal(expected, string.Join(' ', batch.Records.Values.ToArray()));
    }

    [Theory]
    [InlineData("{\"x\":1}\nrubbish\n{\"x\":2}", RequestFormat.Ndjson)]
    [InlineData("[{\"x\":1}, rubbish, {\"x\":2}]", RequestFormat.Json)]
    [InlineData("[{\"x\":1}, {\"x\":[}, {\"x\":2}]", RequestFormat.Json)]
    [InlineData("[{\"x\":1}, {\"x\":3}}, {\"x\":2}]", RequestFormat.Json)]
    [InlineData("{\"records\":[{\"x\":1}, {\"x\":[[3}, {\"x\":2}]}", RequestFormat.Json)]
    [InlineData("[{\"x\":1}, 7, {\"x\":2}]", RequestFormat.Json)]
    [InlineData("[{\"x\":1}, [[7]], {\"x\":2}]", RequestFormat.Json)]
    [InlineData("[{\"x\":1}, {\"x\": 3} {\"x\": 4}, {\"x\":2}]", RequestFormat.Json)]
    [InlineData("{\"records\":[{\"x\":1}, {\"x\": \"\\uD800\"}, {\"x\":2}]}", RequestFormat.Json)]
    [InlineData("{\"x\":1}\n{\"x\": \"\\uDC00\"}\n{\"x\":2}", RequestFormat.Ndjson)]
    [InlineData("x\n1\nrubbish\n2\n", RequestFormat.Csv)]
    [InlineData("x\n1\n3,4\n2\n", RequestFormat.Csv)]
    [InlineData("x\n1\n\"3\n2\n", RequestFormat.Csv)]
    public void Decode_OneThatCannotBeUsed_IsRejectedAlone(string text, RequestFormat format)
    {
        RecordBatch batch = Decode(text, format);

        Assert.Equal([1, 2], batch.Records.Values.ToArray());
        Assert.Equal(1, Assert.Single(batch.Rejected).BeforeRow);
    }

    [Theory]
    [InlineData(RequestFormat.Json)]
    [InlineData(RequestFormat.Ndjson)]
    public void Decode_OneOfDepthOneThousand_IsRejectedAlone(RequestFormat format)
    {
        string deep = "{\"x\":" + new string('[', 1000) + new string(']', 1000) + "}";
        RecordBatch batch = Decode(
            format == RequestFormat.Json ? $"[{{\"x\":1}},{deep},{{\"x\":2}}]" : $"{{\"x\":1}}\n{deep}\n{{\"x\":2}}", format);

        Assert.Equal([1, 2], batch.Records.Values.ToArray());
        Assert.Single(batch.Rejected);
    }

    [Theory]
    [InlineData("", RequestFormat.Json, "empty")]
    [InlineData(" \r\n\t", RequestFormat.Ndjson, "empty")]
    [InlineData("\uFEFF\n", RequestFormat.Csv, "empty")]
    [InlineData("7", RequestFormat.Json, "single value")]
    [InlineData("\"text\"", RequestFormat.Json, "single value")]
    [InlineData("null", RequestFormat.Json, "single value")]
    [InlineData("temperature=20", RequestFormat.Json, "not JSON")]
    [InlineData("{", RequestFormat.Json, "ends within a value")]
    [InlineData("[{\"x\":1}", RequestFormat.Json, "ends within a value")]
    [InlineData("[{\"x\":\"1}]", RequestFormat.Json, "ends within a value")]
    [InlineData("[{\"x\":1}] x", RequestFormat.Json, "something follows")]
    [InlineData("[1}", RequestFormat.Json, "ends within a value")]
    [InlineData("{\"records\":[],\"records\":[]}", RequestFormat.Json, "two fields 'records'")]
    [InlineData("{\"records\":[],\"\\u0072ecords\":[]}", RequestFormat.Json, "two fields 'records'")]
    [InlineData("a,b\n1,2\n", RequestFormat.Csv, "'x'")]
    [InlineData("1\n2\n", RequestFormat.Csv, "header")]
    [InlineData("{\0\"\0x\0", RequestFormat.Json, "UTF-16")]
    public void TryBegin_WhatHoldsNoRecords_SaysWhatIsWrong(string text, RequestFormat format, string expected)
    {
        Assert.False(_requests.TryBegin(Encoding.UTF8.GetBytes(text), format, out string? problem));

        Assert.Contains(expected, problem, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0 }, "Content-Encoding: gzip")]
    [InlineData(new byte[] { 0xFF, 0xFE, (byte)'{', 0 }, "UTF-16")]
    [InlineData(new byte[] { (byte)'P', (byte)'K', 3, 4 }, "zip")]
    [InlineData(new byte[] { 0x28, 0xB5, 0x2F, 0xFD }, "zstd")]
    public void TryBegin_BytesOfAnotherKind_AreNamed(byte[] body, string expected)
    {
        foreach (RequestFormat format in Enum.GetValues<RequestFormat>())
        {
            Assert.False(_requests.TryBegin(body, format, out string? problem));
            Assert.Contains(expected, problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void TryBegin_MoreRecordsThanAreLookedFor_CountsOneMore()
    {
        byte[] body = Encoding.UTF8.GetBytes("[" + new string(',', 2 * RequestDecoder.MaxRecords) + "]");

        Assert.True(_requests.TryBegin(body, RequestFormat.Json, out _));

        Assert.Equal(RequestDecoder.MaxRecords + 1, _requests.Count);
    }

    [Fact]
    public void TryBegin_AfterAnotherRequest_KnowsNothingOfIt()
    {
        Assert.True(_requests.TryBegin("x\n1\n2\n"u8, RequestFormat.Csv, out _));
        Assert.False(_requests.TryBegin("{"u8, RequestFormat.Json, out _));

        RecordBatch batch = Decode("{\"x\":5}", RequestFormat.Json);

        Assert.Equal([5], batch.Records.Values.ToArray());
    }

    private RecordBatch Decode(string text, RequestFormat format)
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        var batch = new RecordBatch(1);
        Assert.True(_requests.TryBegin(body, format, out string? problem), problem);
        Assert.Null(problem);
        Assert.False(_requests.Decode(body, batch));
        return batch;
    }
}
