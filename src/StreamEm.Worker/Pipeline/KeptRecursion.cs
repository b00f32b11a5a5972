using StreamEm.Core.Estimation;
using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// A state goes on with the recursion it was learned with, unless the configuration names another: what a configuration leaves out was
/// <c>parameters</c> in 0.1.0 and is <c>statistics</c> since.
/// </summary>
internal static class KeptRecursion
{
    private const string Path = "learning.recursion", Parameters = "parameters";

    /// <summary>The options as the state's run has them: themselves, but for the recursion.</summary>
    public static ModelOptions Of(ModelOptions options, Checkpoint checkpoint)
    {
        if (options.WithFormerRecursion is not { } former) return options;
        // A checkpoint of 0.1.0 records no configuration: its newest snapshot tells, or before the first one the hash.
        bool isKept = checkpoint.Configuration?.GetValueOrDefault(Path) is { } recorded
            ? recorded == Parameters
            : checkpoint.Latest is { } latest
                ? latest.Snapshot.Training.Recursion == Recursion.Parameters
                : checkpoint.ConfigHash == former.ConfigHash;
        return isKept
            ? options with
            {
                Learning = options.Learning with { Recursion = Recursion.Parameters },
                ConfigHash = former.ConfigHash,
                Values = former.Values,
            }
            : options;
    }
}
