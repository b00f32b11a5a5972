using StreamEm.Core.Data;

namespace StreamEm.Core.Features;

/// <summary>The levels of one feature and their codes 0, 1, ..., in the order they first came.</summary>
internal sealed class LevelCodes
{
    private readonly int _maxLevels;
    private readonly List<string> _texts = [];
    private readonly Dictionary<string, int> _codes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>Begins with known levels, which are then fixed, or with none.</summary>
    public LevelCodes(int maxLevels, IReadOnlyList<string> known)
    {
        _maxLevels = Math.Max(maxLevels, known.Count);
        _lookup = _codes.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (string text in known) Add(text);
        IsFixed = known.Count > 0;
    }

    /// <summary>The levels by code.</summary>
    public IReadOnlyList<string> Texts => _texts;

    /// <summary>Whether a text that is no level yet stays unknown.</summary>
    public bool IsFixed { get; set; }

    /// <summary>Texts met that are no level.</summary>
    public long Unknown { get; private set; }

    /// <summary>The code of a text, a new one where there is room; NaN, and counted, for one that is no level.</summary>
    public double CodeOf(string text)
    {
        if (_codes.TryGetValue(text, out int code)) return code;
        if (!IsFixed && _texts.Count < _maxLevels) return Add(text);
        Unknown++;
        return double.NaN;
    }

    /// <summary>The code of a text; NaN for one that is no level. Changes nothing.</summary>
    public double Find(string text) => _codes.TryGetValue(text, out int code) ? code : double.NaN;

    /// <summary>The code of a term, a new one where there is room; -1, and counted, for one that is in no vocabulary.</summary>
    public int CodeOf(ReadOnlySpan<char> term)
    {
        if (_lookup.TryGetValue(term, out int code)) return code;
        if (!IsFixed && _texts.Count < _maxLevels) return Add(term.ToString());
        Unknown++;
        return -1;
    }

    /// <summary>The code of a term; -1 for one that is in no vocabulary. Changes nothing.</summary>
    public int Find(ReadOnlySpan<char> term) => _lookup.TryGetValue(term, out int code) ? code : -1;

    internal void Save(BinaryWriter writer)
    {
        writer.WriteTexts(_texts);
        writer.Write(IsFixed);
        writer.Write(Unknown);
    }

    internal void Load(BinaryReader reader)
    {
        _texts.Clear();
        _codes.Clear();
        foreach (string text in reader.ReadTexts())
        {
            if (_codes.ContainsKey(text) || _texts.Count >= _maxLevels)
                throw new InvalidDataException($"A saved feature has a level twice, or more than {_maxLevels}.");
            Add(text);
        }
        IsFixed = reader.ReadBoolean();
        Unknown = reader.ReadInt64();
        if (Unknown < 0) throw new InvalidDataException($"{Unknown} values of a feature are unknown; expected at least 0.");
    }

    private int Add(string text)
    {
        _codes.Add(text, _texts.Count);
        _texts.Add(text);
        return _texts.Count - 1;
    }
}
