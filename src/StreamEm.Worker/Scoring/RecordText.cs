using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Decoding;

namespace StreamEm.Worker.Scoring;

/// <summary>Writes records as a source reads them: CSV as the model's own records are written, or NDJSON.</summary>
internal sealed class RecordText : IDisposable
{
    private readonly IBufferWriter<byte> _output;
    private readonly Utf8JsonWriter? _json;
    private readonly FeatureSpace _space;
    private readonly string? _key;
    private readonly IReadOnlyList<string> _beside;
    private readonly StringBuilder _line = new();
    private readonly char _separator, _decimal;
    private readonly bool _isHeaderless;

    /// <summary>Begins; of CSV the header is written.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="format">CSV or NDJSON.</param>
    /// <param name="learned">Whose records they are.</param>
    /// <param name="beside">The fields after the features, such as that of the component a record is from.</param>
    public RecordText(IBufferWriter<byte> output, RecordFormat format, LearnedModel learned, IReadOnlyList<string> beside)
    {
        (_output, _space, _key, _beside) = (output, learned.Space, learned.Schema.Key, beside);
        CsvDialect csv = learned.Schema.Csv;
        _decimal = csv.Decimal ?? '.';
        _separator = csv.Separator ?? (_decimal == ',' ? ';' : ',');
        _isHeaderless = csv.Columns is not null;
        if (format == RecordFormat.Ndjson) _json = new Utf8JsonWriter(output);
        else if (!_isHeaderless) WriteHeader();
    }

    /// <summary>Writes records as they were drawn.</summary>
    /// <param name="rows">User units, levels and keys as texts.</param>
    /// <param name="beside">What the fields after the features hold, record by record.</param>
    public void Write(Minibatch rows, IReadOnlyList<string[]> beside)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            if (_json is null) WriteCsv(rows, row, beside[row]);
            else WriteJson(rows, row, beside[row]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _json?.Dispose();

    private void WriteHeader()
    {
        IEnumerable<string> names = _space.Names;
        if (_key is not null) names = names.Prepend(_key);
        _line.AppendJoin(_separator, names.Concat(_beside).Select(Quoted));
        Flush();
    }

    private void WriteCsv(Minibatch rows, int row, string[] beside)
    {
        ReadOnlySpan<double> values = rows.Row(row);
        if (_key is not null) _line.Append(Quoted(rows.Texts?.Find(rows.Key(row)) ?? "")).Append(_separator);
        for (int d = 0; d < values.Length; d++)
        {
            if (d > 0) _line.Append(_separator);
            if (TextOf(rows, values[d], d) is { } text) _line.Append(Quoted(text));
            else _line.Append(values[d].ToString("R", CultureInfo.InvariantCulture).Replace('.', _decimal));
        }

        foreach (string text in beside) _line.Append(_separator).Append(Quoted(text));
        Flush();
    }

    private void WriteJson(Minibatch rows, int row, string[] beside)
    {
        ReadOnlySpan<double> values = rows.Row(row);
        _json!.Reset(_output);
        _json.WriteStartObject();
        if (_key is not null) _json.WriteString(_key, rows.Texts?.Find(rows.Key(row)));
        for (int d = 0; d < values.Length; d++)
        {
            if (TextOf(rows, values[d], d) is { } text) _json.WriteString(_space.Features[d].Name, text);
            else _json.WriteNumber(_space.Features[d].Name, values[d]);
        }

        for (int at = 0; at < beside.Length; at++) _json.WriteString(_beside[at], beside[at]);
        _json.WriteEndObject();
        _json.Flush();
        _output.Write("\n"u8);
    }

    private string? TextOf(Minibatch rows, double value, int feature) =>
        !_space.Features[feature].HasLevels ? null : double.IsNaN(value) ? "" : rows.Texts![(int)value];

    private string Quoted(string text) =>
        text.Contains(_separator) || text.AsSpan().IndexOfAny("\"\r\n") >= 0
            ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : text;

    private void Flush()
    {
        _output.Write(Encoding.UTF8.GetBytes(_line.Append('\n').ToString()));
        _line.Clear();
    }
}
