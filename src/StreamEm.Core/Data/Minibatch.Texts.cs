namespace StreamEm.Core.Data;

/// <summary>The texts that labels, keys and values are numbers of.</summary>
public sealed partial class Minibatch
{
    /// <summary>Takes a new table, of the keys of the rows alone: for rows whose labels and levels are numbers of no text.</summary>
    internal void ForgetTexts()
    {
        var kept = new TextTable();
        foreach (ref int key in _keys.Mutable(Count))
            if (key != NoKey) key = kept.Number(Texts![key]);
        Texts = kept;
    }

    private void Translate(TextTable from, int first, int count)
    {
        TextTable to = Texts
            ?? throw new InvalidOperationException("Rows whose texts are numbers of a table were added to rows without one.");
        for (int row = first; row < first + count; row++)
        {
            if (Label(row) >= 0) _labels.Set(row, to.Number(from[Label(row)]));
            if (Key(row) != NoKey) _keys.Set(row, to.Number(from[Key(row)]));
            foreach (int feature in _textFeatures)
            {
                ref double value = ref _values[row * Dimension + feature];
                if (!double.IsNaN(value)) value = to.Number(from[(int)value]);
            }
        }
    }
}
