using StreamEm.Core.Features;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Plotting;

/// <summary>The two features in which records are drawn.</summary>
/// <param name="X">The one to the right.</param>
/// <param name="Y">The one upwards.</param>
internal sealed record PlotAxes(int X, int Y)
{
    /// <summary>The features asked for; without, the first two where all features hold numbers.</summary>
    /// <returns>Null where a profile is to be drawn.</returns>
    /// <exception cref="CommandException">There is no such feature, or it holds no numbers, or there are not two.</exception>
    public static PlotAxes? Choose(FeatureSpace space, string? x, string? y, bool isProfile)
    {
        if (isProfile && (x is not null || y is not null))
            throw new CommandException(ExitCode.Usage, "--profile shows every feature: leave --x and --y out.");
        if (isProfile) return null;
        int[] numbers = [.. Enumerable.Range(0, space.Dimension).Where(d => IsNumber(space, d))];
        if (x is null && y is null && (numbers.Length < space.Dimension || numbers.Length < 2)) return null;
        if (numbers.Length < 2)
            throw new CommandException(
                ExitCode.Usage, $"The snapshot has {numbers.Length} feature(s) that hold numbers; --x and --y need two.");
        int second = y is null ? -1 : Feature(space, y);
        int first = x is not null ? Feature(space, x) : second == numbers[0] ? numbers[1] : numbers[0];
        return new PlotAxes(first, second >= 0 ? second : first == numbers[1] ? numbers[0] : numbers[1]);
    }

    private static int Feature(FeatureSpace space, string name)
    {
        int index = space.Names.ToList().IndexOf(name);
        if (index < 0)
            throw new CommandException(ExitCode.Usage, $"The snapshot has no feature '{name}'; it has {string.Join(", ", space.Names)}.");
        if (IsNumber(space, index)) return index;
        string kind = space.Features[index].Kind switch { FeatureKind.Binary => "0 or 1", FeatureKind.Count => "counts", _ => "levels" };
        string numbers =
            string.Join(", ", Enumerable.Range(0, space.Dimension).Where(d => IsNumber(space, d)).Select(d => space.Names[d]));
        throw new CommandException(
            ExitCode.Usage,
            $"Feature '{name}' holds {kind}; --x and --y take features that hold numbers: {numbers}. Leave them out for a picture of all.");
    }

    private static bool IsNumber(FeatureSpace space, int feature) =>
        space.Features[feature].Kind is FeatureKind.Number or FeatureKind.NonNegative;
}
