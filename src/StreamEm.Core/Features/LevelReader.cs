using System.Globalization;
using StreamEm.Core.Data;

namespace StreamEm.Core.Features;

/// <summary>
/// Turns the texts of levels into their codes, and texts of terms into counts, for rows that are scored: a text that is no level counts as
/// missing, a term that is in no vocabulary is left out. Reused; one thread at a time.
/// </summary>
internal sealed class LevelReader
{
    private readonly int[] _features;
    private readonly LevelCodes[] _codes;
    private readonly TermReader?[] _terms;
    private readonly Minibatch _rows;

    /// <summary>Reads the levels of a space.</summary>
    public LevelReader(FeatureSpace space)
    {
        _features = [.. Enumerable.Range(0, space.Dimension).Where(d => space.Features[d].HasLevels)];
        _codes = [.. _features.Select(d => new LevelCodes(space.Features[d].MaxLevels, space.Features[d].Levels))];
        _terms = [.. _features.Zip(_codes, (d, codes) =>
            space.Features[d].Kind == FeatureKind.Terms ? new TermReader(codes, space.Features[d].StopTerms) : null)];
        _rows = new Minibatch(space.Dimension);
    }

    /// <summary>The rows with codes in place of texts; valid until the next call.</summary>
    public Minibatch Encode(Minibatch rows)
    {
        _rows.Clear();
        _rows.Texts = rows.Texts;
        for (int row = 0; row < rows.Count; row++)
        {
            rows.Row(row).CopyTo(_rows.NextRow);
            for (int at = 0; at < _features.Length; at++)
            {
                ref double value = ref _rows.NextRow[_features[at]];
                if (double.IsNaN(value) || (_terms[at] is not null && rows.HasTerms)) continue;
                string text = rows.Texts is { } texts
                    ? texts[(int)value]
                    : (value == 0 ? 0.0 : value).ToString("R", CultureInfo.InvariantCulture);
                value = _terms[at]?.Read(text, _rows, learns: false) ?? _codes[at].Find(text);
            }
            if (rows.HasTerms) _rows.SetTerms(row, rows.Terms(row), rows.CountsOfTerms(row));
            _rows.Commit(rows.Weight(row), rows.Label(row), rows.Target(row), rows.Key(row), rows.Timestamp(row));
            if (rows.IsLast(row)) _rows.EndSequence();
        }
        return _rows;
    }
}
