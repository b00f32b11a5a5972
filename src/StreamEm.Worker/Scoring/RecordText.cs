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
    private readonly string? _key, _component;
    private readonly StringBuilder _line = new();
    private readonly char _separator, _decimal;
    private readonly bool _isHeaderless;

    /// <summary>Begins; of CSV the header is written.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="format">CSV or NDJSON.</param>
    /// <param name="learned">Whose records they are.</param>
    /// <param name="component">The field of the component a record is from; null leaves it out.</param>
    public RecordText(IBufferWriter<byte> output, RecordFormat format, LearnedModel learned, string? component)
    {
        (_output, _space, _key, _component) = (output, learned.Space, learned.Schema.Key, component);
        CsvDialect csv = learned.Schema.Csv;
        _decimal = csv.Decimal ?? '.';
        _separator = csv.Separator ?? (_decimal == ',' ? ';' : ',');
        _isHeaderless = csv.Columns is not null;
        if (format == RecordFormat.Ndjson) _json = new Utf8JsonWriter(output);
        else if (!_isHeaderless) WriteHeader();
    }

    /// <summary>Writes records as they were drawn.</summary>
    /// <param name="rows">User units, levels and keys as texts.</param>
    /// <param name="components">The id of every record's component.</param>
    public void Write(Minibatch rows, IReadOnlyList<string> components)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            if (_json is null) WriteCsv(rows, row, components[row]);
            else WriteJson(rows, row, components[row]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _json?.Dispose();

    private void WriteHeader()
    {
        IEnumerable<string> names = _space.Names;
        if (_key is not null) names = names.Prepend(_key);
        if (_component is not null) names = names.Append(_component);
        _line.AppendJoin(_separator, names.Select(Quoted));
        Flush();
    }

    private void WriteCsv(Minibatch rows, int row, string component)
    {
        ReadOnlySpan<double> values = rows.Row(row);
        if (_key is not null) _line.Append(Quoted(rows.Texts?.Find(rows.Key(row)) ?? "")).Append(_separator);
        for (int d = 0; d < values.Length; d++)
        {
            if (d > 0) _line.Append(_separator);
            if (TextOf(rows, values[d], d) is { } text) _line.Append(Quoted(text));
            else _line.Append(values[d].ToString("R", CultureInfo.InvariantCulture).Replace('.', _decimal));
        }

        if (_component is not null) _line.Append(_separator).Append(component);
        Flush();
    }

    private void WriteJson(Minibatch rows, int row, string component)
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

        if (_component is not null) _json.WriteString(_component, component);
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
