using System.Buffers;
using System.IO.Compression;

namespace StreamEm.Worker.Api;

/// <summary>
/// The whole body of a request in rented memory, decompressed: <see cref="MaxBytes"/> as it comes, <see cref="MaxTextBytes"/> decompressed,
/// within <see cref="Deadline"/>. Memory grows with what has come, not with what was announced.
/// </summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Most bytes as they come.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>Most bytes once decompressed.</summary>
    public const int MaxTextBytes = 4 << 20;

    /// <summary>Longest time a body may take.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private const int FirstBytes = 16 * 1024;

    /// <summary>A member with a known text, which comes out at the end only if what is before it was whole.</summary>
    private static readonly byte[] EndText = "end of the body"u8.ToArray();
    private static readonly byte[] EndMember = Compress(EndText);

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _length;

    private RequestBody()
    {
    }

    /// <summary>Why there is no body, as an answer; null when there is one.</summary>
    public IResult? Refusal { get; private set; }

    /// <summary>The body; empty after a refusal.</summary>
    public ReadOnlyMemory<byte> Text => Refusal is null ? _bytes.AsMemory(0, _length) : default;

    /// <summary>Reads a body to its end.</summary>
    /// <param name="request">Its request.</param>
    /// <param name="isCompressed">Whether it is gzip.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stopping">Cancelled when the worker stops: who sends slowly is not waited for.</param>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, bool isCompressed, TimeProvider time, CancellationToken stopping)
    {
        var body = new RequestBody();
        CancellationToken gone = request.HttpContext.RequestAborted;
        using var late = new CancellationTokenSource(Deadline, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping, gone);
        try
        {
            body.Refusal = request.ContentLength > MaxBytes
                ? ErrorAnswer.TooLarge(MaxBytes)
                : await body.FillAsync(request.Body, end.Token).ConfigureAwait(false);
            if (isCompressed && body.Refusal is null) body.Refusal = body.Decompress();
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException)
        {
            request.HttpContext.Response.Headers.Connection = "close";
            body.Refusal = (failure, gone.IsCancellationRequested, stopping.IsCancellationRequested) switch
            {
                (_, true, _) => Results.Empty,
                (BadHttpRequestException bad, _, _) => ErrorAnswer.OfRequest(bad),
                (OperationCanceledException, _, true) =>
                    ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Stopping", "The worker is stopping; send the request again."),
                (OperationCanceledException, _, _) => ErrorAnswer.Of(StatusCodes.Status408RequestTimeout, "Too slow",
                    "The body did not come in time.", expected: $"a body within {Deadline.TotalSeconds:0} s"),
                _ => ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Bad body",
                    "The body cannot be read: its length or its chunks are not what was announced."),
            };
        }

        return body;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }

    private async Task<IResult?> FillAsync(Stream stream, CancellationToken end)
    {
        while (true)
        {
            // Some room behind the body: the end member of a compressed one.
            if (_bytes.Length - _length <= EndMember.Length) Grow();
            int read = await stream.ReadAsync(_bytes.AsMemory(_length), end).ConfigureAwait(false);
            if (read == 0) return null;
            _length += read;
            if (_length > MaxBytes) return ErrorAnswer.TooLarge(MaxBytes);
        }
    }

    private IResult? Decompress()
    {
        EndMember.CopyTo(_bytes, _length);
        byte[] compressed = _bytes;
        using var member = new MemoryStream(compressed, 0, _length + EndMember.Length, writable: false);
        using var stream = new GZipStream(member, CompressionMode.Decompress);
        _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBytes, 4 * _length));
        _length = 0;
        try
        {
            for (int read; (read = stream.Read(_bytes.AsSpan(_length))) > 0;)
            {
                _length += read;
                if (_length > MaxTextBytes + EndText.Length) return ErrorAnswer.TooLarge(MaxTextBytes, "decompressed");
                if (_length == _bytes.Length) Grow();
            }
        }
        catch (InvalidDataException)
        {
            _length = 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(compressed);
        }

        bool isWhole = _bytes.AsSpan(0, _length).EndsWith(EndText);
        _length -= isWhole ? EndText.Length : _length;
        return isWhole
            ? null
            : ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Bad body", "The body is not gzip, is damaged or was cut off.", "other bytes",
                "gzip, as Content-Encoding says");
    }

    private void Grow()
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(2 * _bytes.Length);
        _bytes.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    private static byte[] Compress(byte[] text)
    {
        using var member = new MemoryStream();
        using (var stream = new GZipStream(member, CompressionLevel.Fastest)) stream.Write(text);
        return member.ToArray();
    }
}
