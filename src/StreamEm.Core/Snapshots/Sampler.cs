using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// Draws records from what was learned, in the user's units and as a source would deliver them. The same seed gives the same records. One
/// thread at a time.
/// </summary>
public sealed class Sampler
{
    private readonly LearnedModel _learned;
    private readonly double[] _parameters;
    private readonly RandomDraws _draws;
    private int _state = -1;

    /// <summary>Begins.</summary>
    /// <param name="learned">What is drawn from.</param>
    /// <param name="seed">Seed of all chance.</param>
    /// <param name="total">What a row of multinomial counts adds up to: the model is given it.</param>
    /// <exception cref="ArgumentException">The parameters are not valid for their model.</exception>
    /// <exception cref="NotSupportedException">Records cannot be drawn from this kind of model.</exception>
    public Sampler(LearnedModel learned, ulong seed, int total = 100)
    {
        if (!learned.Model.CanSample) throw new NotSupportedException($"Records cannot be drawn from {learned.Options.Type}.");
        (_learned, _draws) = (learned, new RandomDraws(seed) { Total = total });
        _parameters = new double[learned.Model.ParameterLayout.Length];
        learned.Model.FromUserUnits(learned.Parameters, learned.Space, _parameters);
        _ = learned.Model.Prepare(_parameters);
    }

    /// <summary>Draws a record.</summary>
    /// <param name="row">[D]; overwritten: user units, levels as their codes.</param>
    private void Draw(Span<double> row)
    {
        _learned.Model.Sample(_parameters, _draws, ref _state, row);
        FeatureSpace space = _learned.Space;
        for (int d = 0; d < row.Length; d++)
            if (space.Features[d].Kind != FeatureKind.Level) row[d] = Math.FusedMultiplyAdd(row[d], space.Scale[d], space.Location[d]);
    }

    /// <summary>Draws records as a source delivers them: levels as texts, and of sequences their keys.</summary>
    /// <param name="count">How many.</param>
    /// <param name="length">Records of a sequence, each with a key of its own; 0 for records that are of no sequence.</param>
    /// <param name="first">The number of the first record among all that are drawn.</param>
    /// <param name="drawn">Told the component of every record; null for nobody.</param>
    public Minibatch Draw(int count, int length = 0, long first = 0, Action<int>? drawn = null)
    {
        var texts = new TextTable();
        IReadOnlyList<Feature> features = _learned.Space.Features;
        var rows = new Minibatch(features.Count, Math.Max(1, count), texts,
            [.. Enumerable.Range(0, features.Count).Where(d => features[d].Kind == FeatureKind.Level)]);
        for (int row = 0; row < count; row++)
        {
            int key = length > 0 ? texts.Number(KeyOf((first + row) / length)) : Minibatch.NoKey;
            if (length > 0 && (first + row) % length == 0) _state = -1;
            Span<double> values = rows.NextRow;
            Draw(values);
            drawn?.Invoke(_state);
            for (int d = 0; d < values.Length; d++)
                if (features[d] is { Kind: FeatureKind.Level } feature && !double.IsNaN(values[d]))
                    values[d] = texts.Number(feature.Levels[(int)values[d]]);
            rows.Commit(1, key: key);
        }
        return rows;
    }

    /// <summary>The key of a sequence that was drawn: <c>s1</c>, <c>s2</c> ...</summary>
    /// <param name="sequence">Its number, from 0.</param>
    private static string KeyOf(long sequence) => FormattableString.Invariant($"s{sequence + 1}");
}
