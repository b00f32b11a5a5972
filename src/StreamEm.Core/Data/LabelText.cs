using System.Text;
using System.Text.Json;

namespace StreamEm.Core.Data;

/// <summary>What a label says that is more than a name.</summary>
public enum LabelForm
{
    /// <summary>One of some classes.</summary>
    Set,

    /// <summary>None of some classes.</summary>
    Except,

    /// <summary>A probability of every class named, 0 of the others.</summary>
    Probabilities,
}

/// <summary>
/// A label that names several classes, in JSON: a set <c>["a", "b"]</c>, all but some <c>{"not": ["a"]}</c>, probabilities
/// <c>{"a": 0.7, "b": 0.3}</c>. Reused; one thread at a time.
/// </summary>
public sealed class LabelText
{
    /// <summary>What probabilities may miss 1 by: as much as those of some classes do that were rounded to two digits.</summary>
    public const double SumTolerance = 0.02;

    private const string Not = "not";

    private readonly List<string> _names = [];
    private readonly List<double> _probabilities = [];
    private byte[] _utf8 = [];

    /// <summary>Which form the last text read has.</summary>
    public LabelForm Form { get; private set; }

    /// <summary>Names in it.</summary>
    public int Count => _names.Count;

    /// <summary>What is wrong with a text that is JSON and no label, and what was expected; null when it is a label or no JSON.</summary>
    public string? Problem { get; private set; }

    /// <summary>A name.</summary>
    public string Name(int at) => _names[at];

    /// <summary>Its probability; 1 in a set.</summary>
    public double Probability(int at) => _probabilities[at];

    /// <summary>Whether a text without blanks round it can be more than a name.</summary>
    public static bool MayBeSeveral(ReadOnlySpan<char> text) => text.Length > 1 && (text[0], text[^1]) is ('[', ']') or ('{', '}');

    /// <summary>Whether a text without blanks round it can be more than a name.</summary>
    public static bool MayBeSeveral(ReadOnlySpan<byte> utf8) => utf8.Length > 1
        && ((char)utf8[0], (char)utf8[^1]) is ('[', ']') or ('{', '}');

    /// <summary>Reads a text; false when it is a name, or no label (<see cref="Problem"/>).</summary>
    public bool TryRead(string text)
    {
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (_utf8.Length < most) _utf8 = new byte[most];
        return TryRead(_utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, _utf8)));
    }

    /// <summary>Reads a text; false when it is a name, or no label (<see cref="Problem"/>).</summary>
    public bool TryRead(ReadOnlySpan<byte> utf8)
    {
        Problem = null;
        _names.Clear();
        _probabilities.Clear();
        try
        {
            var reader = new Utf8JsonReader(utf8);
            reader.Read();
            bool isSet = reader.TokenType == JsonTokenType.StartArray;
            Form = isSet ? LabelForm.Set : LabelForm.Probabilities;
            string? problem = isSet ? ReadNames(ref reader) : ReadProbabilities(ref reader);
            // To the end: what is no JSON is a name, whatever it begins like.
            while (reader.Read())
            {
            }
            Problem = problem;
            return problem is null;
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            // The reader's answer to half a surrogate pair.
            Problem = "a name that is no text, expected names";
            return false;
        }
    }

    private string? ReadNames(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!TryName(ref reader, out string name)) return "a set that holds what is no name, expected names: [\"a\", \"b\"]";
            _names.Add(name);
            _probabilities.Add(1);
        }
        return null;
    }

    private string? ReadProbabilities(ref Utf8JsonReader reader)
    {
        double sum = 0;
        int classes = 0;
        for (; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; classes++)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == Not && classes == 0 && (reader.TokenType != JsonTokenType.Number || IsLast(reader))) return ReadExcept(ref reader);
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out double probability)
                || !(probability is >= 0 and <= 1 + SumTolerance))
            {
                reader.Skip();
                return "what is no probability, expected a number from 0 to 1 for every class, such as {\"a\": 0.7, \"b\": 0.3}";
            }
            sum += probability;
            if (probability == 0) continue;
            _names.Add(name);
            _probabilities.Add(probability);
        }
        return classes == 0 || Math.Abs(sum - 1) <= SumTolerance
            ? null
            : FormattableString.Invariant($"probabilities that do not sum to 1, expected 1 but for rounding (at most {SumTolerance})");
    }

    /// <summary>Whether nothing comes after the value the reader is at: {"not": 2} is a number that it is not, for the only probability of
    /// a mapping would be 1.</summary>
    private static bool IsLast(Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.EndObject;

    private string? ReadExcept(ref Utf8JsonReader reader)
    {
        const string expected = "expected {\"not\": \"a\"} or {\"not\": [\"a\", \"b\"]}";
        Form = LabelForm.Except;
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            if (ReadNames(ref reader) is not null) return $"a set that holds what is no name, {expected}";
        }
        else if (TryName(ref reader, out string name))
        {
            _names.Add(name);
            _probabilities.Add(1);
        }
        else
        {
            reader.Skip();
            return $"what is no name, {expected}";
        }
        return reader.Read() && reader.TokenType == JsonTokenType.EndObject ? null : $"more than what it is not, {expected}";
    }

    private static bool TryName(ref Utf8JsonReader reader, out string name)
    {
        name = reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString()!,
            JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            _ => "",
        };
        if (name.Length == 0) reader.Skip();
        return name.Length > 0;
    }
}
