using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Worker.Scoring;

/// <summary>The fields of a record that are told beside its scores, as <c>"fields": {...}</c>.</summary>
internal sealed class ScoreFields
{
    private readonly List<(byte[] Name, Role Role, int Feature)> _fields = [];
    private readonly List<string> _names = [];
    private readonly int _bound;

    /// <summary>These fields of a schema; names that it does not have are left out.</summary>
    /// <param name="schema">The schema; what its features hold is known.</param>
    /// <param name="names">The fields, in their order.</param>
    public ScoreFields(RecordSchema schema, IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            int feature = schema.Columns.ToList().IndexOf(name);
            Role? role = feature >= 0 ? schema.KindOf(feature) is FeatureKind.Level or FeatureKind.Terms ? Role.Level : Role.Number
                : name == schema.Label ? Role.Label : name == schema.Weight ? Role.Weight
                : name == schema.Key ? Role.Key : name == schema.Timestamp ? Role.Timestamp : null;
            if (role is not { } known) continue;
            string start = string.Create(CultureInfo.InvariantCulture,
                $"{(_fields.Count == 0 ? "" : ",")}{System.Text.Json.JsonSerializer.Serialize(name)}:");
            _fields.Add((Encoding.UTF8.GetBytes(start), known, feature));
            _names.Add(name);
        }

        _bound = 32 + _fields.Sum(field => field.Name.Length + JsonText.TimeBytes);
    }

    private enum Role
    {
        Number,
        Level,
        Label,
        Weight,
        Key,
        Timestamp,
    }

    /// <summary>All fields that a schema names: features first, then the target.</summary>
    public static IEnumerable<string> AllOf(RecordSchema schema) =>
        schema.Columns.Concat(new[] { schema.Label, schema.Weight, schema.Key, schema.Timestamp }.OfType<string>())
            .Distinct();

    /// <summary>The most bytes of a record's fields.</summary>
    public int BoundOf(in ScoredRecord score)
    {
        int bound = _bound;
        foreach ((_, Role role, int feature) in _fields)
            if (role is Role.Level or Role.Label or Role.Key) bound += JsonText.BoundOf(TextOf(score, role, feature));
        return bound;
    }

    /// <summary>Writes them.</summary>
    public void Write(ref JsonText json, in ScoredRecord score)
    {
        Minibatch rows = score.Rows ?? throw new InvalidOperationException("The record's fields are not at hand.");
        json.Raw(",\"fields\":{"u8);
        foreach ((byte[] name, Role role, int feature) in _fields)
        {
            json.Raw(name);
            switch (role)
            {
                case Role.Number:
                    json.Number(rows.Row(score.Row)[feature]);
                    break;
                case Role.Weight:
                    json.Number(rows.Weight(score.Row));
                    break;
                case Role.Timestamp when score.Timestamp != Minibatch.NoTimestamp:
                    json.Time(score.Timestamp);
                    break;
                case Role.Timestamp:
                    json.Raw("null"u8);
                    break;
                default:
                    json.Text(TextOf(score, role, feature));
                    break;
            }
        }

        json.Raw("}"u8);
    }

    /// <summary>The fields, in their order.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The text of a field by its place among <see cref="Names"/>; empty where it is missing.</summary>
    public string TextAt(int at, in ScoredRecord score)
    {
        Minibatch rows = score.Rows ?? throw new InvalidOperationException("The record's fields are not at hand.");
        (_, Role role, int feature) = _fields[at];
        return role switch
        {
            Role.Number => NumberText(rows.Row(score.Row)[feature]),
            Role.Weight => NumberText(rows.Weight(score.Row)),
            Role.Timestamp => CsvScoreFormat.TimeText(score.Timestamp),
            _ => TextOf(score, role, feature) ?? "",
        };
    }

    private static string NumberText(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";

    private static string? TextOf(in ScoredRecord score, Role role, int feature)
    {
        if (role == Role.Key) return score.Key;
        Minibatch rows = score.Rows!;
        if (role == Role.Label) return rows.Texts?.Find(rows.Label(score.Row));
        double value = rows.Row(score.Row)[feature];
        return double.IsNaN(value) ? null : rows.Texts?[(int)value];
    }
}
