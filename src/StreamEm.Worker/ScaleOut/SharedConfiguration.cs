using System.Globalization;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Holds the configuration that the states of the model topic were folded with against this worker's. What the parameters mean has to be
/// the same for all who learn them; another value of what else the fold uses is said, since it makes the fold depend on who folds. Looked
/// at again only when the states say another configuration than the last time. Used by one thread.
/// </summary>
/// <param name="options">The model as it is configured here.</param>
/// <param name="log">Told of differences that are not refused.</param>
internal sealed class SharedConfiguration(ModelOptions options, ILogger log)
{
    private const string RecursionPath = "learning.recursion";

    private static readonly string[] Sections = ["model.", "learning.", "missing_values."];
    private static readonly string[] Keys =
        ["key", "target", "label", "weight", "missing", "per_key", "scale_out.in_flight", "scale_out.snapshot_every_updates"];

    private Checkpoint? _looked;

    /// <summary>Looks at a state that was made by whoever folds.</summary>
    /// <exception cref="CommandException">Its parameters mean something else than they would here (78).</exception>
    public void Look(Checkpoint state)
    {
        bool isKnown = _looked is { } last && last.ConfigHash == state.ConfigHash && AreSame(last.Configuration, state.Configuration);
        _looked = state;
        if (isKnown) return;
        Require(options, state);
        IReadOnlyList<ConfigurationChange> changes = ChangesOf(options, state);
        if (changes.Count > 0) WorkerLog.SharedConfigurationDiffers(log, options.Id, string.Join("; ", changes));
    }

    /// <summary>Refuses a state whose parameters mean something else than they would here.</summary>
    /// <exception cref="CommandException">It is one (78).</exception>
    public static void Require(ModelOptions options, Checkpoint state)
    {
        StateBinding? binding = StateBinding.Of(options, state);
        string[] bound = binding is not null
            ? [.. binding.Changes.Where(IsBound).Select(change => change.ToString())]
            : state.ConfigHash == options.ConfigHash ? [] : [$"hash of the configuration: {state.ConfigHash} -> {options.ConfigHash}"];
        if (bound.Length == 0) return;
        throw new CommandException(ExitCode.Configuration, string.Create(CultureInfo.InvariantCulture,
            $"scale_out: model '{options.Id}' (version {state.Updates}, {state.Records} records, in topic "
                + $"'{options.ScaleOut!.ModelTopic}') is learned by workers with another configuration:\n"
                + $"{string.Join("", bound.Select(line => $"  {line}\n"))}"
                + $"All workers that share a model need the same. Give this one the values that are there; or, to learn another model, "
                + $"name another model_topic, statistics_topic and group_id (and keys_topic), or give it another id, for all of its "
                + $"workers."));
    }

    /// <summary>What else the fold uses, and how it is learned, that has another value than the state was folded with.</summary>
    public static IReadOnlyList<ConfigurationChange> ChangesOf(ModelOptions options, Checkpoint state) =>
        [.. StateBinding.Of(options, state)?.Changes.Where(change => change.Effect != ChangeEffect.None && IsOfTheFold(change.Path)) ?? []];

    /// <summary>One recursion's statistics are nothing to the other, and two reducers would go on with both in turn.</summary>
    private static bool IsBound(ConfigurationChange change) => change.Effect >= ChangeEffect.Components || change.Path == RecursionPath;

    private static bool IsOfTheFold(string path) =>
        Keys.Contains(path) || Array.Exists(Sections, section => path.StartsWith(section, StringComparison.Ordinal));

    private static bool AreSame(IReadOnlyDictionary<string, string>? one, IReadOnlyDictionary<string, string>? other)
    {
        if (one is null || other is null) return ReferenceEquals(one, other);
        if (one.Count != other.Count) return false;
        foreach ((string path, string value) in one)
            if (!other.TryGetValue(path, out string? known) || known != value) return false;
        return true;
    }
}
