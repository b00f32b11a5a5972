using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Stdin;

/// <summary>
/// Records from standard input, or any stream that can be read once. The partition is <c>stdin</c>; positions count the bytes read and go
/// on from where an earlier run stopped, though its records are gone.
/// </summary>
internal sealed class StdinSource : RecordSource
{
    /// <summary>Name of the only partition.</summary>
    public const string PartitionName = "stdin";

    private readonly Stream _stream;
    private readonly RecordDecoder _decoder;
    private readonly ByteWindow _window;
    private Task<int>? _reading;
    private long _offset;
    private bool _begun, _ended;

    /// <summary>Reads <paramref name="stream"/>, by default standard input; disposed with the source.</summary>
    public StdinSource(StdinSourceOptions options, SourceContext context, Stream? stream = null)
    {
        _stream = stream ?? options.Open?.Invoke() ?? Console.OpenStandardInput();
        _decoder = RecordDecoder.Create(options.Format, context.Schema with { Csv = options.Csv });
        _window = new ByteWindow(options.BufferBytes);
        _offset = context.Position.Partitions.TryGetValue(PartitionName, out PartitionPosition? position) ? position.Next : 0;
    }

    /// <inheritdoc/>
    public override bool IsReplayable => false;

    /// <inheritdoc/>
    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryDecode(batch)) return true;
            if (_ended) return false;
            // A read that is under way cannot be taken back: after a cancellation the next call waits for the same one.
            _reading ??= _stream.ReadAsync(_window.Free(), CancellationToken.None).AsTask();
            int read;
            try
            {
                read = await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                throw new SourceException(
                    SourceFailure.Io, FormattableString.Invariant($"Standard input cannot be read at byte {_offset}: {e.Message}"), e);
            }
            _reading = null;
            _window.Add(read);
            CountBytes(read);
            _ended = read == 0;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private bool TryDecode(RecordBatch batch)
    {
        batch.Clear(PartitionName, identity: null, _offset);
        if (!_begun)
        {
            if (!_decoder.TryBegin(_window.Bytes, _ended, PartitionName, out int header)) return false;
            _begun = true;
            _window.Drop(header);
            _offset += header;
        }
        batch.EndOffset = _offset;
        int used = _decoder.Decode(_window.Bytes, _offset, _ended, batch);
        _window.Drop(used);
        _offset += used;
        return batch.Count > 0 || batch.Rejected.Count > 0;
    }
}
