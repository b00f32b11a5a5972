using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Learning;

/// <summary>
/// Takes records as a source delivers them: labels become components, levels codes in the order they first come, until the levels are fixed
/// when learning starts. Part of the state.
/// </summary>
internal sealed class RecordIntake
{
    private readonly LabelNames _labels;
    private readonly LevelCodes[] _levels;
    private readonly int[] _levelFeatures;
    private readonly bool[] _areGiven;
    private readonly TermReader?[] _terms;
    private TextTable? _keysFrom, _keysTo;
    private int[] _keyNumbers = [];

    /// <summary>An intake that has met nothing.</summary>
    /// <param name="plan">The features.</param>
    /// <param name="labels">Which component a label stands for.</param>
    public RecordIntake(FeatureSpace plan, LabelNames labels)
    {
        _labels = labels;
        _levelFeatures = [.. Enumerable.Range(0, plan.Dimension).Where(d => plan.Features[d].HasLevels)];
        _areGiven = [.. _levelFeatures.Select(d => plan.Features[d].Levels.Count > 0)];
        _levels = [.. _levelFeatures.Select(d => new LevelCodes(plan.Features[d].MaxLevels, plan.Features[d].Levels))];
        _terms = [.. _levelFeatures.Zip(_levels, (d, levels) =>
            plan.Features[d].Kind == FeatureKind.Terms ? new TermReader(levels, plan.Features[d].StopTerms) : null)];
    }

    /// <summary>The levels of a feature met so far.</summary>
    public IReadOnlyList<string> LevelsOf(int feature) => _levels[Array.IndexOf(_levelFeatures, feature)].Texts;

    /// <summary>Values of every level feature that are none of its levels, in the features' order; of texts, whose rare terms are meant to
    /// be left out, none.</summary>
    public IEnumerable<(int Feature, long Unknown)> Unknown =>
        _levelFeatures.Select((feature, at) => (feature, _terms[at] is null ? _levels[at].Unknown : 0));

    /// <summary>From here on, a text that is no level yet is unknown.</summary>
    public void FixLevels()
    {
        foreach (LevelCodes levels in _levels) levels.IsFixed = true;
        _labels.IsFixed = _labels.AreClasses;
    }

    /// <summary>From here on, new texts become levels again, where the levels were not given.</summary>
    public void FreeLevels()
    {
        for (int at = 0; at < _levels.Length; at++) _levels[at].IsFixed = _areGiven[at];
    }

    /// <summary>Appends records to the rows pending.</summary>
    public void Take(Minibatch records, int first, int count, Minibatch pending)
    {
        if (records.IsFeaturesOnly && _levels.Length == 0)
        {
            pending.AddRange(records.Values.Slice(first * records.Dimension, count * records.Dimension));
            return;
        }
        for (int row = first; row < first + count; row++)
        {
            records.Row(row).CopyTo(pending.NextRow);
            for (int at = 0; at < _levels.Length; at++)
            {
                ref double value = ref pending.NextRow[_levelFeatures[at]];
                if (double.IsNaN(value) || (_terms[at] is not null && records.HasTerms)) continue;
                string text = Text(records, value);
                value = _terms[at]?.Read(text, pending, learns: true) ?? _levels[at].CodeOf(text);
            }
            if (records.HasTerms) pending.SetTerms(pending.Count, records.Terms(row), records.CountsOfTerms(row));
            int label = records.Label(row), key = records.Key(row);
            if (label != Minibatch.Unlabelled) label = _labels.Read(records.Texts is { } texts ? texts[label] : Number(label), pending);
            if (key != Minibatch.NoKey) key = KeyNumber(records.Texts, key, pending.Texts!);
            pending.Commit(records.Weight(row), label, records.Target(row), key, records.Timestamp(row));
            if (records.IsLast(row)) pending.EndSequence();
        }
    }

    /// <summary>Takes over the levels that another intake of the same features has met.</summary>
    public void TakeLevels(RecordIntake other)
    {
        for (int at = 0; at < _levels.Length; at++)
        {
            using var stream = new MemoryStream();
            using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true)) other._levels[at].Save(writer);
            stream.Position = 0;
            using var reader = new BinaryReader(stream);
            _levels[at].Load(reader);
        }
    }

    /// <summary>Gives the levels of a row, which are codes of another intake, codes of this one.</summary>
    public void Recode(Span<double> row, RecordIntake from)
    {
        for (int at = 0; at < _levels.Length; at++)
        {
            ref double value = ref row[_levelFeatures[at]];
            if (!double.IsNaN(value) && _terms[at] is null) value = _levels[at].CodeOf(from._levels[at].Texts[(int)value]);
        }
    }

    /// <summary>Throws unless the rows pending are such as <see cref="Take"/> makes: labels are components and levels codes.</summary>
    /// <exception cref="InvalidDataException">A saved state has others.</exception>
    public void Check(Minibatch pending)
    {
        int labels = _labels.AreClasses ? _labels.Known.Count : _labels.Names.Count;
        if (!pending.HasLabelsOf(labels, _labels.Names.Count))
            throw new InvalidDataException($"A record pending has a label beyond the {labels} there are.");
        for (int at = 0; at < _levels.Length; at++)
            if (_terms[at] is not null && !pending.HasTermsOf(_levels[at].Texts.Count))
                throw new InvalidDataException($"A record pending has a term beyond the {_levels[at].Texts.Count} there are.");
        for (int row = 0; row < pending.Count; row++)
            for (int at = 0; at < _levels.Length; at++)
            {
                if (_terms[at] is not null) continue;
                double code = pending.Row(row)[_levelFeatures[at]];
                if (!double.IsNaN(code) && !(code >= 0 && code < _levels[at].Texts.Count && code == Math.Floor(code)))
                    throw new InvalidDataException($"A record pending has level {code:R}; there are {_levels[at].Texts.Count}.");
            }
    }

    public void Save(BinaryWriter writer)
    {
        _labels.Save(writer);
        foreach (LevelCodes levels in _levels) levels.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        _labels.Load(reader);
        foreach (LevelCodes levels in _levels) levels.Load(reader);
    }

    /// <summary>The number of a key among the keys pending, looked up once for every number of a table.</summary>
    private int KeyNumber(TextTable? from, int key, TextTable to)
    {
        if (from is null) return to.Number(Number(key));
        if (from != _keysFrom || to != _keysTo)
        {
            (_keysFrom, _keysTo) = (from, to);
            Array.Clear(_keyNumbers);
        }
        if (key >= _keyNumbers.Length) Array.Resize(ref _keyNumbers, Math.Max(from.Count, 2 * (key + 1)));
        ref int known = ref _keyNumbers[key];
        if (known == 0) known = to.Number(from[key]) + 1;
        return known - 1;
    }

    private static string Text(Minibatch records, double value) => records.Texts is { } texts ? texts[(int)value] : Number(value);

    private static string Number(double value) => (value == 0 ? 0.0 : value).ToString("R", CultureInfo.InvariantCulture);
}
