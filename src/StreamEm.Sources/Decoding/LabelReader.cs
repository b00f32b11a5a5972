using System.Buffers;
using System.Text;
using System.Text.Json;
using StreamEm.Core.Data;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Reads labels: a name, or several in the forms of <see cref="LabelText"/>, whose names are spelled as a name alone is. Several travel as
/// one text, written the same whatever the record is written in.
/// </summary>
/// <param name="spelling">What the texts of the fields say.</param>
internal sealed class LabelReader(FieldSpelling spelling)
{
    private readonly LabelText _several = new();
    private readonly ArrayBufferWriter<byte> _written = new();
    private Utf8JsonWriter? _writer;

    /// <summary>What the last label held that cannot be used, and what was expected.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Takes a label, valid UTF-8.</summary>
    /// <param name="text">As it is written.</param>
    /// <param name="texts">Takes it.</param>
    /// <param name="label">Its number there; <see cref="TextTable.None"/> where it says nothing.</param>
    /// <returns>Why it cannot be used, or null.</returns>
    public RejectionReason? Read(ReadOnlySpan<byte> text, TextTable texts, out int label)
    {
        ReadOnlySpan<byte> trimmed = Numbers.Trim(text);
        if (!LabelText.MayBeSeveral(trimmed) || (!_several.TryRead(trimmed) && _several.Problem is null))
        {
            label = spelling.Name(text, texts);
            return null;
        }
        label = TextTable.None;
        if (_several.Problem is { } problem) return Refuse(problem);
        if (_several.Count == 0) return null;
        _written.ResetWrittenCount();
        _writer ??= new Utf8JsonWriter(_written);
        _writer.Reset(_written);
        int name = TextTable.None;
        Begin();
        for (int at = 0; at < _several.Count; at++)
        {
            name = spelling.Name(Encoding.UTF8.GetBytes(_several.Name(at)), texts);
            if (name == TextTable.None) return Refuse("a class without a name among several, expected names");
            if (_several.Form == LabelForm.Probabilities) _writer.WriteNumber(texts[name], _several.Probability(at));
            else _writer.WriteStringValue(texts[name]);
        }
        End();
        label = _several.Count == 1 && _several.Form != LabelForm.Except ? name : texts.Number(_written.WrittenSpan);
        return null;
    }

    private void Begin()
    {
        if (_several.Form != LabelForm.Set) _writer!.WriteStartObject();
        if (_several.Form == LabelForm.Except) _writer!.WritePropertyName("not");
        if (_several.Form != LabelForm.Probabilities) _writer!.WriteStartArray();
    }

    private void End()
    {
        if (_several.Form != LabelForm.Probabilities) _writer!.WriteEndArray();
        if (_several.Form != LabelForm.Set) _writer!.WriteEndObject();
        _writer!.Flush();
    }

    private RejectionReason Refuse(string problem)
    {
        Problem = problem;
        return RejectionReason.OutOfRange;
    }
}
