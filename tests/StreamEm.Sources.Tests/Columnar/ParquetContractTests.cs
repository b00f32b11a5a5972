using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Columnar;

/// <summary>A glob of NDJSON and Parquet files keeps the contract as one of text alone does.</summary>
public sealed class ParquetContractTests : RecordSourceContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    protected override RecordSource Open(SourcePosition start)
    {
        // Every seventh line is broken; a Parquet file cannot hold such.
        WriteLines("1.ndjson", 0, 5);
        WriteRows("2.parquet", 5, 5);
        WriteLines("3.ndjson", 10, 16);
        WriteRows("4.table", 26, 5);
        WriteLines("5.ndjson", 31, 29);
        var options = new FileSourceOptions { Path = [_folder.File("*.*")], Format = RecordFormat.Ndjson, BufferBytes = 64 };
        return new FileSource(options, new SourceContext(Schema, start, TimeProvider.System));
    }

    protected override RecordSource OpenIdle()
    {
        _folder.Write("idle.parquet", "PAR1");
        var options = new FileSourceOptions { Path = [_folder.File("idle.par*")], Format = RecordFormat.Parquet, Follow = true };
        return new FileSource(options, new SourceContext(Schema, new SourcePosition(), new FakeTimeProvider()));
    }

    private void WriteLines(string name, int first, int count) =>
        _folder.Write(name, string.Concat(Lines.Skip(first).Take(count).Select(line => line + "\n")));

    private void WriteRows(string name, int first, int count)
    {
        if (File.Exists(_folder.File(name))) return;
        int[] rows = [.. Enumerable.Range(first, count)];
        ParquetFile.WriteAsync(_folder.File(name), count, groupRows: 4,
            ParquetFile.Texts("l", [.. rows.Select(i => ((char)('x' + i % 2)).ToString(CultureInfo.InvariantCulture))]),
            ParquetFile.Of("a", rows),
            ParquetFile.Of("b", [.. rows.Select(i => (double?)(i + .5))])).GetAwaiter().GetResult();
    }
}
