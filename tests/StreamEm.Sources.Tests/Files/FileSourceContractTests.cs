using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Files;

[ContractOf(nameof(FileSource))]
public sealed class FileSourceContractTests : RecordSourceContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    protected override RecordSource Open(SourcePosition start)
    {
        _folder.Write("1.ndjson", string.Concat(Lines.Take(20).Select(line => line + "\r\n")));
        _folder.WriteGzip("2.ndjson.gz", string.Concat(Lines.Skip(20).Take(25).Select(line => line + "\n\n")));
        _folder.Write("3.ndjson", string.Join('\n', Lines.Skip(45)));
        var options = new FileSourceOptions { Path = [_folder.File("*.ndjson*")], Format = RecordFormat.Ndjson, BufferBytes = 64 };
        return new FileSource(options, new SourceContext(Schema, start, TimeProvider.System));
    }

    protected override RecordSource OpenIdle()
    {
        var options =
            new FileSourceOptions { Path = [_folder.Write("idle.ndjson", "{\"a\":1")], Format = RecordFormat.Ndjson, Follow = true };
        return new FileSource(options, new SourceContext(Schema, new SourcePosition(), new FakeTimeProvider()));
    }
}
