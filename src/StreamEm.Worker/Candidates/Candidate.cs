using System.Globalization;
using StreamEm.Core.Models;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Candidates;

/// <summary>One of the models that are compared.</summary>
/// <param name="Components">Its number of components, states ...</param>
/// <param name="Model">Its options.</param>
internal sealed record Candidate(int Components, LatentModelOptions Model)
{
    /// <summary>The settings that say how many of what is exchangeable there are; a model has one of them.</summary>
    private static readonly string[] Counts = ["components", "states", "topics", "experts"];

    /// <summary>Whether a model has candidates.</summary>
    public static bool CanBeOf(LatentModelOptions model) =>
        Counts.Any(key => model.Entry.Settings.Any(setting => setting.Key == key));

    /// <summary>The setting of a model that says how many there are.</summary>
    /// <exception cref="CommandException">It has none (64).</exception>
    public static string SettingOf(LatentModelOptions model) =>
        Counts.FirstOrDefault(key => model.Entry.Settings.Any(setting => setting.Key == key))
            ?? throw new CommandException(ExitCode.Usage, $"A model of type {model.Type} has no number of components to choose.");

    /// <summary>The candidates with so many each.</summary>
    /// <exception cref="CommandException">One of them cannot be (64).</exception>
    public static IReadOnlyList<Candidate> Of(LatentModelOptions model, IReadOnlyList<int> components)
    {
        string key = SettingOf(model);
        return [.. components.Select(count => new Candidate(count, With(model, key, count)))];
    }

    /// <summary>Numbers such as <c>1..8</c> or <c>2,3,5</c>; null where they are none.</summary>
    public static IReadOnlyList<int>? Parse(string text)
    {
        var numbers = new SortedSet<int>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] ends = part.Split("..");
            if (ends.Length > 2 || !ends.All(end => int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                    && number is > 0 and <= 10_000)) return null;
            int first = int.Parse(ends[0], CultureInfo.InvariantCulture), last = int.Parse(ends[^1], CultureInfo.InvariantCulture);
            if (last < first || last - first > 1000) return null;
            for (int number = first; number <= last; number++) numbers.Add(number);
        }

        return [.. numbers];
    }

    private static LatentModelOptions With(LatentModelOptions model, string key, int count)
    {
        var settings = new Dictionary<string, string>(model.Settings, StringComparer.Ordinal)
        {
            [key] = count.ToString(CultureInfo.InvariantCulture),
        };
        try
        {
            return model.Entry.Read(settings);
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException)
        {
            throw new CommandException(ExitCode.Usage, $"--components {count}: {failure.Message}", failure);
        }
    }
}
