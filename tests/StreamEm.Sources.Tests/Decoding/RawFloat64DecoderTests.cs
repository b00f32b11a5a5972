using System.Runtime.InteropServices;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

public sealed class RawFloat64DecoderTests
{
    private static readonly RecordSchema Two = new() { Features = ["a", "b"], Key = "key" };

    private static byte[] Bytes(params double[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    [Fact]
    public void Decode_WholeRecords_AreTakenAndTheRestIsRejected()
    {
        RecordBatch batch =
            Decoded.Batch(RecordFormat.Float64, Two, [.. Bytes(1, 2, double.NaN, 4, 5, double.PositiveInfinity, 7, 8), 1, 2, 3]);
        Assert.Equal([1.0, 2.0, double.NaN, 4.0, 7.0, 8.0], batch.Records.Values.ToArray());
        Assert.Equal([(RejectionReason.NotFinite, 32L), (RejectionReason.SchemaMismatch, 64L)],
            batch.Rejected.Select(rejected => (rejected.Reason, rejected.Offset)));
        Assert.Equal("the record has 3 bytes, expected 16: 2 features of 8 bytes", batch.Rejected[1].Detail);
        Assert.Equal("010203", batch.Rejected[1].Text);
    }

    [Fact]
    public void Decode_InPieces_GivesTheSame()
    {
        byte[] bytes = [.. Bytes(1, 2, 3, 4, 5, 6), 9];
        List<string> whole = Decoded.InPieces(RecordFormat.Float64, Two, bytes, () => bytes.Length, capacity: 10);
        Assert.Equal(4, whole.Count);
        Assert.Equal(whole, Decoded.InPieces(RecordFormat.Float64, Two, bytes, () => 5, capacity: 1));
    }

    [Fact]
    public void DecodeMessage_WrongLengthOrMissing_IsRejected()
    {
        var decoder = new RawFloat64Decoder(Two with { AllowMissing = false });
        var batch = new RecordBatch(2);
        batch.Clear("topic-0");
        Assert.True(decoder.DecodeMessage(Bytes(1, 2), 5, 6, batch, new RecordDefaults(2, batch.Texts.Number("k"), 7)));
        Assert.False(decoder.DecodeMessage(Bytes(1, 2, 3, 4), 6, 7, batch, RecordDefaults.None));
        Assert.False(decoder.DecodeMessage(Bytes(1, double.NaN), 7, 8, batch, RecordDefaults.None));
        Assert.Equal((2.0, "k", 7L, 6L), (batch.Records.Weight(0), batch.Key(0), batch.Records.Timestamp(0), batch.NextOffset(0)));
        Assert.Equal([RejectionReason.SchemaMismatch, RejectionReason.MissingFeature], batch.Rejected.Select(rejected => rejected.Reason));
    }

    [Fact]
    public void Constructor_SchemaWithLabel_Throws()
    {
        var failure = Assert.Throws<ArgumentException>(() => new RawFloat64Decoder(Two with { Label = "state" }));
        Assert.Contains("they have no field 'state'", failure.Message, StringComparison.Ordinal);
    }
}
