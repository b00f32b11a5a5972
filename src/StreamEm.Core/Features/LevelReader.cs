using System.Globalization;
using StreamEm.Core.Data;

namespace StreamEm.Core.Features;

/// <summary>
/// Turns the texts of levels into their codes, for rows that are scored: a text that is no level counts as missing. Reused; one thread at a
/// time.
/// </summary>
internal sealed class LevelReader
{
    private readonly int[] _features;
    private readonly LevelCodes[] _codes;
    private readonly Minibatch _rows;

    /// <summary>Reads the levels of a space.</summary>
    public LevelReader(FeatureSpace space)
    {
        _features = [.. Enumerable.Range(0, space.Dimension).Where(d => space.Features[d].Kind == FeatureKind.Level)];
        _codes = [.. _features.Select(d => new LevelCodes(space.Features[d].MaxLevels, space.Features[d].Levels))];
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
                if (!double.IsNaN(value))
                    value = _codes[at]
                        .Find(rows.Texts is { } texts
                            ? texts[(int)value]
                            : (value == 0 ? 0.0 : value).ToString("R", CultureInfo.InvariantCulture));
            }
            _rows.Commit(rows.Weight(row), rows.Label(row), rows.Target(row), rows.Key(row), rows.Timestamp(row));
        }
        return _rows;
    }
}
