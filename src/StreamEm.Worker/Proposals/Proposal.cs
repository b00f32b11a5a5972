using System.Text.RegularExpressions;
using StreamEm.Core.Settings;
using StreamEm.Sources.Surveys;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Proposals;

/// <summary>What a field is proposed for.</summary>
internal enum FieldUse
{
    /// <summary>A feature that is a number.</summary>
    Number,

    /// <summary>A feature that is 0 or 1, false or true.</summary>
    Flag,

    /// <summary>A feature that is one of a few texts.</summary>
    Level,

    /// <summary>The event time.</summary>
    Timestamp,

    /// <summary>The key that sequences are grouped by.</summary>
    Key,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>A field, what it is proposed for, and why.</summary>
internal sealed record ProposedField(FieldSurvey Survey, FieldUse Use, string Reason)
{
    /// <summary>The field's name.</summary>
    public string Name => Survey.Name;
}

/// <summary>
/// What could be learned from data of which nothing is known but its first records: which fields are features, which are times, keys or
/// mere numbers of records. A guess to begin with, which says why.
/// </summary>
internal sealed partial class Proposal
{
    /// <summary>So many of a field's values must be numbers for it to be a feature that is one; the rest would be rejected.</summary>
    private const double NumberShare = 0.95;

    /// <summary>Texts that differ in more ways are no levels.</summary>
    private const int MostLevels = 50;

    /// <summary>So many fields are listed in a message.</summary>
    private const int MostListed = 12;

    /// <summary>Fewer records do not tell numbers of records from numbers that happen to ascend.</summary>
    private const int LeastAscending = 10;

    private Proposal(DataSurvey survey, IReadOnlyList<ProposedField> fields) => (Survey, Fields) = (survey, fields);

    /// <summary>What was seen.</summary>
    public DataSurvey Survey { get; }

    /// <summary>Every field, in the data's order.</summary>
    public IReadOnlyList<ProposedField> Fields { get; }

    /// <summary>The fields of a use.</summary>
    public IEnumerable<ProposedField> Of(FieldUse use) => Fields.Where(field => field.Use == use);

    /// <summary>The fields that are left out, with the reason.</summary>
    public IEnumerable<ProposedField> LeftOut => Of(FieldUse.None);

    /// <summary>The field of a role; null where there is none.</summary>
    public string? NameOf(FieldUse role) => Of(role).FirstOrDefault()?.Name;

    /// <summary>Proposes uses for the fields of a survey.</summary>
    /// <param name="survey">What was seen.</param>
    /// <param name="features">The features, where the user named them.</param>
    /// <exception cref="CommandException">There is no record, nothing to learn from, or no field of a name (65).</exception>
    public static Proposal For(DataSurvey survey, IReadOnlyList<string>? features = null)
    {
        if (survey.Records == 0)
            throw new CommandException(ExitCode.DataCorrupt,
                $"'{survey.Name}' has no record that can be read. Expected CSV with a header, or one JSON object a line.");
        var fields = new List<ProposedField>();
        foreach (FieldSurvey field in survey.Fields)
        {
            ProposedField proposed = Propose(field, survey.Records);
            bool isTaken = proposed.Use is FieldUse.Timestamp or FieldUse.Key && fields.Any(other => other.Use == proposed.Use);
            fields.Add(isTaken ? proposed with { Use = FieldUse.None, Reason = $"another {Word(proposed.Use)}" } : proposed);
        }
        var proposal = new Proposal(survey, fields);
        foreach (string name in features ?? [])
        {
            if (survey.Unusable.TryGetValue(name, out string? sentence))
                throw new CommandException(ExitCode.DataCorrupt, $"'{survey.Name}': {sentence}");
            if (!fields.Exists(field => field.Name == name))
                throw new CommandException(ExitCode.DataCorrupt,
                    $"'{survey.Name}' has no field '{name}'{Spelling.Suggestion(name, fields.Select(field => field.Name))} "
                        + $"It has {string.Join(", ", fields.Take(MostListed).Select(field => field.Name))}"
                        + $"{(fields.Count > MostListed ? $" and {fields.Count - MostListed} more" : "")}.");
        }

        if (features is null && fields.All(field => field.Use is FieldUse.None or FieldUse.Timestamp or FieldUse.Key))
            throw new CommandException(ExitCode.DataCorrupt,
                $"'{survey.Name}' has no field to learn from. Expected columns of numbers, of true and false, or of a few different texts; "
                    + $"found {string.Join("; ", fields.Take(MostListed).Select(field => $"{field.Name}: {field.Reason}"))}. "
                    + "Name the features with --features.");
        return proposal;
    }

    private static ProposedField Propose(FieldSurvey field, int records)
    {
        ProposedField As(FieldUse use, string reason) => new(field, use, reason);
        if (field.Present == 0) return As(FieldUse.None, "never has a value");
        bool isNumber = field.Numbers >= NumberShare * field.Present, isWhole = field.Integers == field.Numbers;
        if (field.Times >= NumberShare * field.Present) return As(FieldUse.Timestamp, "a time");
        if (isNumber && TimeName().IsMatch(field.Name) && field.IsAscending && field.Least > 1e8) return As(FieldUse.Timestamp, "a time");
        if (isNumber && isWhole && field.IsNumbering && field.Numbers >= LeastAscending) return As(FieldUse.None, "numbers the records");
        if ((!isNumber || isWhole) && KeyName().IsMatch(field.Name) && (field.Numbers == 0 || field.Bits < field.Numbers))
            return field.Distinct is > 1 and < FieldSurvey.MostDistinct && 2 * field.Distinct <= field.Present
                ? As(FieldUse.Key, "repeats, and is called as a key is")
                : As(FieldUse.None, "an identifier");
        if (field.Flags > 0 && field.Flags + field.Bits >= NumberShare * field.Present) return As(FieldUse.Flag, "true or false");
        if (isNumber) return field.Bits == field.Numbers ? As(FieldUse.Flag, "0 or 1") : As(FieldUse.Number, "numbers");
        return field.Distinct <= MostLevels && 2 * field.Distinct <= records
            ? As(FieldUse.Level, $"{field.Distinct} different texts")
            : As(FieldUse.None, field.Numbers > 0 ? "numbers and texts" : "texts of too many kinds");
    }

    private static string Word(FieldUse use) => use == FieldUse.Key ? "key" : "time";

    [GeneratedRegex(@"^@?(.*[_.-])?(time|timestamp|ts|date|datetime|epoch|created|updated)([_.-]?(at|ms|us|ns|s))?\z",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex TimeName();

    [GeneratedRegex(@"^(.*[_.-])?(id|uuid|guid|key|device|sensor|host|hostname|machine|station|asset|session|user|vehicle)([_.-]?id)?\z",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex KeyName();
}
