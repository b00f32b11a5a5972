using System.Globalization;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Files;

/// <summary>
/// Records from files. A partition is a file, named by its path as matched; its positions are byte offsets (of the uncompressed text), its
/// identity the fingerprint of its beginning. Without <see cref="FileSourceOptions.Follow"/> the files are read one after the other in a
/// fixed order and the source ends; a file that is no longer the one a position was taken of is a failure.
/// </summary>
internal sealed class FileSource : RecordSource
{
    private readonly FileSourceOptions _options;
    private readonly RecordDecoder _decoder;
    private readonly TimeProvider _time;
    private readonly FileQueue _files;
    private readonly ByteWindow _window;
    private FileCursor? _loaded;
    private OpenFile? _loadedFile;
    private long _offset;
    private bool _begun;

    /// <summary>Reads on at the context's position; opens nothing yet.</summary>
    public FileSource(FileSourceOptions options, SourceContext context)
    {
        _options = options;
        _decoder = RecordDecoder.Create(options.Format, context.Schema with { Csv = options.Csv });
        _time = context.Time;
        SourcePosition start = context.Position.Copy();
        _files = options.Follow && !context.Once ? new FollowedFiles(options.Path, start) : new FiniteFiles(options.Path, start);
        _window = new ByteWindow(options.BufferBytes);
    }

    /// <inheritdoc/>
    public override bool IsReplayable => true;

    /// <summary>How many times a followed file was begun again because it was truncated.</summary>
    public int Truncations => (_files as FollowedFiles)?.Truncations ?? 0;

    /// <summary>How many times the name of a followed file was given to another file.</summary>
    public int Rotations => (_files as FollowedFiles)?.Rotations ?? 0;

    /// <inheritdoc/>
    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_files.Take() is { } cursor)
            {
                if (TryRead(cursor, batch, cancellationToken)) return true;
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
        _files.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>Reads until there is something in the batch (true) or the end of the file is reached (false).</summary>
    private bool TryRead(FileCursor cursor, RecordBatch batch, CancellationToken cancellationToken)
    {
        if (!ReferenceEquals(cursor, _loaded) || !ReferenceEquals(cursor.File, _loadedFile) || cursor.Next == 0) Load(cursor);
        long length = cursor.File.StoredLength;
        bool atEnd = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_begun || TryBegin(cursor, atEnd && cursor.IsComplete))
            {
                batch.Clear(cursor.PartitionName, cursor.Identity, _offset);
                int used = _decoder.Decode(_window.Bytes, _offset, atEnd && cursor.IsComplete, batch);
                _window.Drop(used);
                _offset += used;
                cursor.Next = batch.EndOffset;
                if (batch.Count > 0 || batch.Rejected.Count > 0) return true;
            }
            if (atEnd)
            {
                cursor.ReadLength = length;
                _files.AtEnd(cursor);
                return false;
            }
            int read = cursor.File.Read(_window.Free().Span);
            _window.Add(read);
            atEnd = read == 0;
            cursor.RefreshIdentity();
        }
    }

    /// <summary>Puts the decoder at the start of another file.</summary>
    private void Load(FileCursor cursor)
    {
        _loaded = cursor;
        _loadedFile = cursor.File;
        _begun = false;
        _offset = 0;
        _window.Clear();
        cursor.File.Seek(0);
    }

    /// <summary>Reads what comes before the first record, then goes to the cursor's position.</summary>
    private bool TryBegin(FileCursor cursor, bool isFinal)
    {
        if (!_decoder.TryBegin(_window.Bytes, isFinal, cursor.PartitionName, out int used)) return false;
        _begun = true;
        if (cursor.Next <= used)
        {
            _window.Drop(used);
            _offset = used;
            return true;
        }
        _window.Clear();
        _offset = cursor.Next;
        if (cursor.File.Seek(cursor.Next)) return true;
        throw new SourceException(SourceFailure.Changed, string.Create(CultureInfo.InvariantCulture,
            $"'{cursor.PartitionName}' ends before byte {cursor.Next}, up to which it was read before. Put the file back, or start over "
                + $"with an empty state directory."));
    }
}
