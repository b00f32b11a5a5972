using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Features;
using StreamEm.Sources.Columnar;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Files;

/// <summary>
/// Records from files. A partition is a file, named by the path it is at; its positions are byte offsets (of the uncompressed text; of a
/// Parquet file <see cref="ParquetDecoder.FirstRow"/> and the number of the row), its identity says which file it is and what was read of
/// it (<see cref="FileIdentity"/>). Without <see cref="FileSourceOptions.Follow"/> the files are read one after the other in a fixed order
/// and the source ends; a file that no longer holds what was read of it is a failure.
/// </summary>
internal sealed class FileSource : RecordSource
{
    /// <summary>Zero bytes that are a hole in a text: a writer went on at its old place in a file that was truncated.</summary>
    private const int FewestOfAHole = 4;

    /// <summary>Rejected records at the start of a file of a glob, before the first good one, that show it to be of another kind.</summary>
    private const int FewestOfAnotherKind = 20;

    private static readonly PartitionPosition Nowhere = new(0);

    private static ReadOnlySpan<byte> HoleAfterLine => "\n\0\0\0\0"u8;

    private readonly FileSourceOptions _options;
    private readonly RecordDecoder _textDecoder;
    private readonly ParquetDecoder _parquetDecoder;
    private readonly HeaderlessStart _headerless;
    private readonly TimeProvider _time;
    private readonly FileQueue _files;
    private readonly ByteWindow _window;
    private readonly Action<string>? _tell;
    private readonly HashSet<string> _foundTold = new(StringComparer.Ordinal);
    private KnownFile? _loaded, _told;
    private OpenFile? _loadedFile;
    private RecordDecoder _decoder;
    private bool _isText;
    private long _offset, _withoutHole;
    private bool _begun;

    /// <summary>Reads on at the context's position; opens nothing yet.</summary>
    public FileSource(FileSourceOptions options, SourceContext context)
    {
        _options = options;
        RecordSchema schema = context.Schema with { Csv = options.Csv };
        _textDecoder = RecordDecoder.Create(options.Format == RecordFormat.Parquet ? RecordFormat.Ndjson : options.Format, schema);
        if (context.Decoders > 1) _textDecoder = new ParallelDecoder(_textDecoder, schema, context.Decoders);
        _parquetDecoder = new ParquetDecoder(schema);
        _decoder = _textDecoder;
        _headerless = new HeaderlessStart(_textDecoder, context.Schema);
        _time = context.Time;
        _tell = context.Tell;
        bool isEndless = options.Follow && !context.Once;
        var register = new FileRegister(options, context, isEndless);
        _files = isEndless ? new FollowedFiles(register, options, _time) : new FiniteFiles(register);
        _window = new ByteWindow(options.BufferBytes);
    }

    /// <inheritdoc/>
    public override bool IsReplayable => true;

    /// <inheritdoc/>
    public override IReadOnlyList<SetAsidePart> SetAside => _files.Register.Aside.List;

    /// <summary>How many times what was read of a file was found gone from it.</summary>
    public int Truncations => _files.Register.Truncations;

    /// <summary>How many times the name of a followed file was given to another file.</summary>
    public int Rotations => _files.Register.Rotations;

    /// <inheritdoc/>
    public override string? Problem => _files.Register.Problem;

    /// <inheritdoc/>
    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_files.Take() is { } file)
            {
                if (TryRead(file, batch, cancellationToken)) return true;
                continue;
            }
            batch.Clear("");
            if (!_files.IsEndless) return false;
            await Task.Delay(_options.PollInterval, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _parquetDecoder.Forget();
        _files.Dispose();
        return base.DisposeAsync();
    }

    private bool TryRead(KnownFile file, RecordBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return TryReadOn(file, batch, cancellationToken);
        }
        catch (SourceException failure)
        {
            _loaded = null;
            if (!_files.TrySetAside(file, failure)) throw;
            return false;
        }
    }

    /// <summary>Reads until there is something in the batch (true) or the end of the file is reached (false).</summary>
    private bool TryReadOn(KnownFile file, RecordBatch batch, CancellationToken cancellationToken)
    {
        if (!ReferenceEquals(file, _loaded) || !ReferenceEquals(file.File, _loadedFile)) Load(file);
        OpenFile open = file.File!;
        long length = open.StoredLength;
        bool atEnd = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            SkipHole(file);
            if (_begun || TryBegin(file, atEnd && file.IsComplete))
            {
                batch.Clear(file.Name, Nowhere);
                long start = _offset;
                bool isCut = Decode(file, batch, atEnd && file.IsComplete);
                if (!file.IsInState && !file.IsNamed) RefuseOtherKind(file, batch);
                if (batch.Count > 0 || batch.Rejected.Count > 0) return Tell(file, batch, start);
                if (isCut) continue;
            }
            if (atEnd) return End(file, batch, length);
            int read = open.Read(_window.Free().Span);
            if (read > 0 && _files.IsEndless && !file.StillHoldsWhatWasRead())
            {
                _loaded = null;
                _files.Recheck(file);
                return false;
            }
            _window.Add(read);
            atEnd = read == 0;
        }
    }

    /// <summary>Puts the decoder at the start of another file.</summary>
    private void Load(KnownFile file)
    {
        OpenFile open = file.File!;
        if (_options.Format == RecordFormat.Parquet && !open.IsParquet)
            throw new SourceException(SourceFailure.Changed,
                $"'{file.Name}' is no Parquet file: it does not begin with PAR1. Its format is said by the source's 'format'.");
        _parquetDecoder.Forget();
        _parquetDecoder.Table = open.IsParquet ? open.Table : null;
        _decoder = open.IsParquet ? _parquetDecoder : _textDecoder;
        _isText = !open.IsParquet && _options.Format != RecordFormat.Float64;
        _loaded = file;
        _loadedFile = open;
        _begun = false;
        _offset = _withoutHole = 0;
        _window.Clear();
        open.Seek(0);
    }

    /// <summary>Reads what comes before the first record, then goes to the file's position.</summary>
    private bool TryBegin(KnownFile file, bool isFinal)
    {
        // What was seen in what was read before has to be seen again.
        if (!isFinal && _window.Bytes.Length < Math.Min(file.Next, _decoder.LooksAt)) return false;
        if (file.HasNoHeader && file.Columns is { } columns)
        {
            if (!isFinal && !_window.Bytes.Contains((byte)'\n')) return false;
            _decoder.BeginWithout(columns, _window.Bytes, file.Name);
        }
        else
        {
            try
            {
                if (!_decoder.TryBegin(_window.Bytes, isFinal, file.Name, out int used)) return false;
                Take(file, used);
                file.HeaderLength = _offset;
                file.Columns = _decoder.Columns;
            }
            catch (SourceException) when (_isText && file is { Next: 0, Columns: not null } &&
                _headerless.TryBegin(_window.Bytes, isFinal, file.Name, file.Columns))
            {
                file.HasNoHeader = true;
            }
        }
        _begun = true;
        if (file.Next <= _offset) return true;
        _window.Clear();
        _offset = file.Next;
        if (file.File!.Seek(file.Next)) return true;
        throw new SourceException(SourceFailure.Changed, string.Create(CultureInfo.InvariantCulture,
            $"'{file.Name}' ends before {(_isText ? "byte" : "position")} {file.Next}, up to which it was read before. Put the file back, "
                + $"or start over with an empty state directory."));
    }

    /// <summary>Passes over zero bytes where a record would start.</summary>
    private void SkipHole(KnownFile file)
    {
        if (!_isText) return;
        ReadOnlySpan<byte> bytes = _window.Bytes;
        if (bytes.Length < FewestOfAHole || bytes[..FewestOfAHole].ContainsAnyExcept((byte)0)) return;
        int end = bytes.IndexOfAnyExcept((byte)0);
        Take(file, end < 0 ? bytes.Length : end);
        if (_begun) file.Next = _offset;
    }

    /// <summary>Decodes the bytes read, up to the next hole that begins where a record would.</summary>
    /// <returns>Whether there is such a hole, to be passed over next.</returns>
    private bool Decode(KnownFile file, RecordBatch batch, bool isFinal)
    {
        batch.EndOffset = _offset;
        int hole = Hole();
        int used = hole < 0 ? 0 : _decoder.Decode(_window.Bytes[..hole], _offset, isFinal: false, batch);
        bool isCut = used > 0;
        // What begins before the hole and does not end there has it in it.
        if (!isCut) used = _decoder.Decode(_window.Bytes, _offset, isFinal, batch);
        Take(file, used);
        file.Next = batch.EndOffset;
        return isCut;
    }

    /// <summary>
    /// A file that begins with so many lines of which none is a record is of another kind, as a CSV file without the header is: it would
    /// only fill the file of rejected records.
    /// </summary>
    /// <exception cref="SourceException">It is.</exception>
    private void RefuseOtherKind(KnownFile file, RecordBatch batch)
    {
        if (_decoder.Columns is not null || file.File!.IsParquet || batch.Count > 0 || batch.Rejected.Count < FewestOfAnotherKind) return;
        file.Restart();
        throw new SourceException(SourceFailure.Changed, string.Create(CultureInfo.InvariantCulture,
            $"'{file.Name}' is of another kind: none of its first {FewestOfAnotherKind} records can be used, the first because of "
                + $"{JsonNamingPolicy.SnakeCaseLower.ConvertName(batch.Rejected[0].Reason.ToString())}."));
    }

    /// <summary>Where in the window the next hole begins; -1 when there is none. What was looked at is not looked at again.</summary>
    private int Hole()
    {
        ReadOnlySpan<byte> bytes = _window.Bytes;
        int from = (int)Math.Clamp(_withoutHole - _offset, 0, bytes.Length);
        int hole = _isText ? bytes[from..].IndexOf(HoleAfterLine) : -1;
        _withoutHole = _offset + (hole >= 0 ? from + hole : Math.Max(0, bytes.Length - HoleAfterLine.Length));
        return hole < 0 ? -1 : from + hole + 1;
    }

    /// <summary>Takes bytes from the front of the window: they are read.</summary>
    private void Take(KnownFile file, int count)
    {
        file.Hash.Append(_window.Bytes[..count], _offset);
        CountBytes(_decoder == _parquetDecoder ? _parquetDecoder.TakeBytesRead() : count);
        _window.Drop(count);
        _offset += count;
    }

    /// <summary>Gives the batch its place in the state.</summary>
    private bool Tell(KnownFile file, RecordBatch batch, long start)
    {
        if (_decoder.Found is { } found && _foundTold.Add(found)) _tell?.Invoke($"'{file.Name}' has {found}.");
        foreach (MovedPartition moved in _files.Register.TakeMoves()) batch.Move(moved);
        _files.Register.Told(file);
        batch.Place(file.PositionAt(start));
        // Which of several files has something to read next depends on the moment.
        batch.IsDecision = _files.IsEndless && !ReferenceEquals(file, _told) && (_told is not null || _files.Register.Files.Count > 1);
        _told = file;
        return true;
    }

    private bool End(KnownFile file, RecordBatch batch, long length)
    {
        file.ReadLength = length;
        bool isEndToTell = file.IsPacked && file.StoredLength != length && _begun;
        _files.AtEnd(file);
        if (!isEndToTell) return false;
        // That a packed file has been read to its end cannot be told from its length.
        batch.Clear(file.Name, file.Position);
        return Tell(file, batch, file.Next);
    }
}
