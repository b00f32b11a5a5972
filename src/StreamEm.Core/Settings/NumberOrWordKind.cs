using System.Globalization;

namespace StreamEm.Core.Settings;

/// <summary>A number in an interval, or a word that stands for none: what is to be found.</summary>
internal sealed class NumberOrWordKind(Interval interval, string word) : ValueKind<double?>
{
    private readonly NumberKind _numbers = new(interval);

    /// <inheritdoc/>
    public override string Expected => string.Create(CultureInfo.InvariantCulture, $"{word}, or {_numbers.Expected}");

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => [word];

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Number;

    /// <inheritdoc/>
    public override bool TryParse(string? text, out double? value)
    {
        value = null;
        if (text == word) return true;
        if (!_numbers.TryParse(text, out double number)) return false;
        value = number;
        return true;
    }

    /// <inheritdoc/>
    public override string Format(double? value) => value is { } number ? _numbers.Format(number) : word;
}
