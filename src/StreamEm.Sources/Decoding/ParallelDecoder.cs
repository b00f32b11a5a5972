using System.Runtime.ExceptionServices;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// A decoder that works on several pieces of what was read at once. Pieces end where lines do, found before any of them is decoded; each
/// goes to a fork of the decoder with a batch of its own, and the batches are given out in their order, so that records, rejections and
/// positions are those of one decoder. Where a fork leaves something of its piece - a full batch, a quoted field that goes on in the next
/// line - the pieces after it are given up and found anew. What cannot be cut (a decimal mark not yet decided, a line of the largest size)
/// goes the usual way.
/// </summary>
/// <remarks>Where a batch ends may differ: a piece ends it too. Nothing that is learned depends on that.</remarks>
internal sealed class ParallelDecoder : RecordDecoder
{
    /// <summary>Pieces for each thread: one may be dearer than another.</summary>
    private const int PiecesPerThread = 2;

    /// <summary>A piece is at most so large: smaller than a record may be, so no line in it is too large.</summary>
    private const int MaxPieceBytes = MaxRecordBytes / 4;

    /// <summary>A smaller piece is not worth a thread.</summary>
    private const int MinPieceBytes = 1 << 12;

    private readonly RecordDecoder _decoder;
    private readonly RecordSchema _schema;
    private readonly ParallelOptions _threads;
    private readonly Piece[] _pieces;
    private int _next, _count;

    /// <summary>Bytes of a piece: as many as fill most of a batch, by what the last ones took.</summary>
    private int _pieceBytes = 1 << 15;

    /// <summary>In front of <paramref name="decoder"/>, which is for records of <paramref name="schema"/>.</summary>
    public ParallelDecoder(RecordDecoder decoder, RecordSchema schema, int threads)
    {
        (_decoder, _schema) = (decoder, schema);
        _threads = new ParallelOptions { MaxDegreeOfParallelism = threads };
        _pieces = new Piece[PiecesPerThread * threads];
        for (int i = 0; i < _pieces.Length; i++) _pieces[i] = new Piece();
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string>? Columns => _decoder.Columns;

    /// <inheritdoc/>
    public override string? Found => _decoder.Found;

    /// <inheritdoc/>
    public override int LooksAt => _decoder.LooksAt;

    /// <inheritdoc/>
    public override bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used)
    {
        Forget();
        return _decoder.TryBegin(data, isFinal, name, out used);
    }

    /// <inheritdoc/>
    public override void BeginWithout(IReadOnlyList<string> columns, ReadOnlySpan<byte> data, string name)
    {
        Forget();
        _decoder.BeginWithout(columns, data, name);
    }

    /// <inheritdoc/>
    public override bool DecodeMessage(
        ReadOnlySpan<byte> data, Range record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults) =>
        _decoder.DecodeMessage(data, record, offset, nextOffset, batch, defaults);

    /// <inheritdoc/>
    public override int Decode(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        if (batch.Count > 0 || batch.Rejected.Count > 0) return _decoder.Decode(data, offset, isFinal, batch);
        if (_next == _count || _pieces[_next].Offset != offset)
        {
            Cut(data, offset, batch.Capacity);
            if (_count < 2)
            {
                _count = 0;
                return _decoder.Decode(data, offset, isFinal, batch);
            }
            DecodePieces(data, batch);
        }
        Piece piece = _pieces[_next++];
        if (piece.Used < piece.Length) _next = _count;
        if (piece.Used == 0) return _decoder.Decode(data, offset, isFinal, batch);
        batch.Exchange(piece.Batch!);
        if (batch.Count > 0)
            _pieceBytes = (int)Math.Clamp((long)piece.Used * batch.Capacity / batch.Count * 15 / 16, MinPieceBytes, MaxPieceBytes);
        return piece.Used;
    }

    /// <summary>Finds pieces at the start of the data.</summary>
    private void Cut(ReadOnlySpan<byte> data, long offset, int capacity)
    {
        _next = _count = 0;
        for (int at = 0; _count < _pieces.Length && at < data.Length; _count++)
        {
            int length = data.Slice(at, Math.Min(_pieceBytes, data.Length - at)).LastIndexOf((byte)'\n') + 1;
            if (length == 0) return;
            Piece piece = _pieces[_count];
            (piece.Start, piece.Length, piece.Offset) = (at, length, offset + at);
            if (piece.Batch?.Capacity != capacity) piece.Batch = new RecordBatch(_schema, capacity);
            piece.Decoder ??= _decoder.Fork();
            if (piece.Decoder is null) return;
            at += length;
        }
    }

    private unsafe void DecodePieces(ReadOnlySpan<byte> data, RecordBatch batch)
    {
        string partition = batch.PartitionName;
        PartitionPosition start = batch.Start;
        fixed (byte* pointer = data)
        {
            byte* bytes = pointer;
            try
            {
                Parallel.For(0, _count, _threads, i =>
                {
                    Piece piece = _pieces[i];
                    piece.Batch!.Clear(partition, start);
                    piece.Batch.EndOffset = piece.Offset;
                    var text = new ReadOnlySpan<byte>(bytes + piece.Start, piece.Length);
                    piece.Used = piece.Decoder!.Decode(text, piece.Offset, isFinal: false, piece.Batch);
                });
            }
            catch (AggregateException failures) when (failures.InnerException is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    /// <summary>Another stream begins: its forks are others.</summary>
    private void Forget()
    {
        _next = _count = 0;
        foreach (Piece piece in _pieces) piece.Decoder = null;
    }

    /// <summary>A stretch of what was read.</summary>
    private sealed class Piece
    {
        public RecordDecoder? Decoder { get; set; }

        public RecordBatch? Batch { get; set; }

        /// <summary>Where it begins: in the data, and in the stream.</summary>
        public int Start { get; set; }

        public long Offset { get; set; }

        public int Length { get; set; }

        /// <summary>Bytes decoded.</summary>
        public int Used { get; set; }
    }
}
