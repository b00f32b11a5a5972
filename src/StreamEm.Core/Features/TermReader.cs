using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Core.Data;

namespace StreamEm.Core.Features;

/// <summary>
/// Splits texts into terms and counts those of a vocabulary: a term is a run of letters, marks and digits, in lower case (invariant); an
/// apostrophe or hyphen between two of them is part of it. A text that is a JSON object of counts, <c>{"term": 3}</c>, says its terms as
/// they are. Reused; one thread at a time.
/// </summary>
public sealed class TermReader
{
    private readonly LevelCodes _codes;
    private readonly HashSet<string> _stops;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _stopLookup;
    private readonly List<(int Term, double Count)> _found = [];
    private char[] _lower = new char[1024];
    private int[] _terms = new int[64];
    private double[] _counts = new double[64];

    /// <summary>Reads into the vocabulary of a feature.</summary>
    /// <param name="codes">The vocabulary.</param>
    /// <param name="stopTerms">Terms that are never in it.</param>
    internal TermReader(LevelCodes codes, IReadOnlyList<string> stopTerms)
    {
        _codes = codes;
        _stops = new HashSet<string>(stopTerms, StringComparer.Ordinal);
        _stopLookup = _stops.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Whether a text may hold counts: then they have to be such.</summary>
    public static bool LooksLikeCounts(ReadOnlySpan<byte> text)
    {
        if (text.Length == 0 || text[0] != '{') return false;
        ReadOnlySpan<byte> rest = text[1..].TrimStart(" \t\r\n"u8);
        return rest.Length > 0 && rest[0] is (byte)'"' or (byte)'}';
    }

    /// <summary>Whether a text is a JSON object of counts: numbers of at least 0, finite.</summary>
    public static bool AreCounts(ReadOnlySpan<byte> text)
    {
        try
        {
            var reader = new Utf8JsonReader(text);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !IsCount(ref reader)) return false;
            return reader.TokenType == JsonTokenType.EndObject && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>
    /// Gives the row that is added next the terms of a text, new ones where the vocabulary grows; how many of them are in it, each as often
    /// as it stands there.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="rows">Where its row is added next.</param>
    /// <param name="learns">Whether the vocabulary may grow; else it is only looked at.</param>
    internal double Read(string text, Minibatch rows, bool learns)
    {
        _found.Clear();
        if (text.Length == 0 || text[0] != '{' || !TryReadCounts(text, learns)) Split(text, learns);
        _found.Sort(static (a, b) => a.Term.CompareTo(b.Term));
        if (_terms.Length < _found.Count) (_terms, _counts) = (new int[2 * _found.Count], new double[2 * _found.Count]);
        int different = 0;
        double total = 0;
        foreach ((int term, double count) in _found)
        {
            total += count;
            if (different > 0 && _terms[different - 1] == term) _counts[different - 1] += count;
            else (_terms[different], _counts[different++]) = (term, count);
        }
        rows.SetTerms(rows.Count, _terms.AsSpan(0, different), _counts.AsSpan(0, different));
        return total;
    }

    private static bool IsCount(ref Utf8JsonReader reader) => reader.TryGetDouble(out double count) && count is >= 0 and <= 1e9;

    private void Split(string text, bool learns)
    {
        int at = 0;
        while (at < text.Length)
        {
            if (!IsLetter(text, at))
            {
                at++;
                continue;
            }
            int start = at++;
            while (at < text.Length && (IsLetter(text, at) || (IsJoint(text[at]) && at + 1 < text.Length && IsLetter(text, at + 1)))) at++;
            Take(text.AsSpan(start, at - start), 1, learns);
        }
    }

    private bool TryReadCounts(string text, bool learns)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        if (!AreCounts(utf8)) return false;
        var reader = new Utf8JsonReader(utf8);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string term = reader.GetString()!;
            reader.Read();
            if (reader.GetDouble() is > 0 and var count) Add(term, count, learns);
        }
        return true;
    }

    private void Take(ReadOnlySpan<char> term, double count, bool learns)
    {
        if (_lower.Length < term.Length) _lower = new char[2 * term.Length];
        Add(_lower.AsSpan(0, term.ToLowerInvariant(_lower)), count, learns);
    }

    private void Add(ReadOnlySpan<char> term, double count, bool learns)
    {
        if (_stopLookup.Contains(term)) return;
        int code = learns ? _codes.CodeOf(term) : _codes.Find(term);
        if (code >= 0) _found.Add((code, count));
    }

    private static bool IsJoint(char mark) => mark is '\'' or '\u2019' or '-';

    private static bool IsLetter(string text, int at) =>
        char.IsLetterOrDigit(text, at) || char.IsSurrogate(text[at])
            || CharUnicodeInfo.GetUnicodeCategory(text[at]) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
