using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Models;

/// <summary>The options of one kind of model, from which it is made once its features are known.</summary>
public abstract record LatentModelOptions
{
    /// <summary>The model's entry in the catalogue.</summary>
    public required ModelEntry Entry { get; init; }

    /// <summary>The name in the catalogue.</summary>
    public string Type => Entry.Type;

    /// <summary>The options by their names in the configuration, values as text: what a snapshot says of the model, enough to make it again
    /// (<see cref="OptionsEntry{TOptions}.Read"/>).</summary>
    public IReadOnlyDictionary<string, string> Settings => Entry.Format(this);

    /// <summary>Whether the model predicts a target, which must then be configured.</summary>
    public virtual bool NeedsTarget => false;

    /// <summary>Whether the model is of sequences by key, which must then be configured.</summary>
    public virtual bool NeedsKey => false;

    /// <summary>Whether the model learns from labels, which must then be configured.</summary>
    public virtual bool NeedsLabel => false;

    /// <summary>The most classes that labels may name; 0 where they name components.</summary>
    public virtual int MaxClasses => 0;

    /// <summary>The classes, in their order; empty where labels name components, or no class is known yet.</summary>
    public virtual IReadOnlyList<string> Classes => [];

    /// <summary>Why averaging the maximisers of minibatches is wrong for this model, for a person; null where it is not.</summary>
    public virtual string? ParameterRecursionProblem => null;

    /// <summary>Why the parameters can be given no intervals, for a person; null where they can
    /// (<see cref="LatentModel.HasGradient"/>).</summary>
    public virtual string? IntervalsProblem => "its statistics are no sums over records that would say how sure its parameters are";

    /// <summary>Whether rows are shared out to components by a rule that may be chosen.</summary>
    public virtual bool HasResponsibilities => false;

    /// <summary>How the model's components grow with the stream; null where their number is given.</summary>
    public virtual GrowthOptions? Growth => null;

    /// <summary>The same with components that grow with the stream, at most as many as it has; null for one that cannot.</summary>
    public virtual LatentModelOptions? Grown => null;

    /// <summary>The same with a given number of components, for a model that has any.</summary>
    public virtual LatentModelOptions WithComponents(int components) => this;

    /// <summary>The most keys remembered at once; 0 for a model without keys.</summary>
    public virtual int MaxKeys => 0;

    /// <summary>When the sequence of a key is over; of no meaning to a model without keys.</summary>
    public virtual SequenceOptions Sequences => SequenceOptions.Default;

    /// <summary>What keeps a schema from being learned from with this model, for a person; empty when nothing does.</summary>
    public virtual IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        if (NeedsTarget && schema.Target is null) yield return $"{Type} predicts a target: set target to the field that holds it";
        if (!NeedsTarget && schema.Target is not null)
            yield return $"{Type} does not use a target: leave target out, or add '{schema.Target}' to features";
        if (NeedsKey && schema.Key is null)
            yield return $"{Type} learns a sequence per key: set key to the field that tells sequences apart";
        if (NeedsLabel && schema.Label is null) yield return LabelProblem;
    }

    /// <summary>What the features of a schema hold and how they are scaled, before any record.</summary>
    /// <exception cref="ArgumentException">The schema does not fit; the message is the first of <see cref="ProblemsWith"/>.</exception>
    /// <remarks>Records that are scored have no labels: whether they have, only learning asks.</remarks>
    public FeatureSpace Plan(RecordSchema schema)
    {
        if (ProblemsWith(NeedsLabel ? schema with { Label = schema.Label ?? "" } : schema).FirstOrDefault() is { } problem)
            throw new ArgumentException(problem, nameof(schema));
        IEnumerable<Feature> features = schema.Features.Select(name => PlanFeature(name, schema));
        return new FeatureSpace([.. schema.Target is { } target ? features.Append(PlanTarget(target)) : features]);
    }

    /// <summary>The fewest rows of D features that determine first parameters.</summary>
    public abstract long RowsToStart(int dimension);

    /// <summary>Makes the model.</summary>
    /// <param name="space">The features, with what the first records said of them.</param>
    public abstract LatentModel Create(FeatureSpace space);

    /// <summary>The largest model there can be for a schema: what must be known of sizes before any record.</summary>
    public virtual LatentModel CreateLargest(RecordSchema schema) => Create(Plan(schema).WithMostLevels());

    /// <summary>The same model over these classes; itself where labels name components, and of no class.</summary>
    public virtual LatentModelOptions WithClasses(IReadOnlyList<string> classes) => this;

    /// <summary>The same model where rows are shared out so: what it says of a record may depend on it.</summary>
    public virtual LatentModelOptions For(ResponsibilityKind responsibilities) => this;

    /// <summary>The classes that blocks of parameters are of, in their order.</summary>
    /// <param name="blocks">The blocks' names.</param>
    /// <param name="space">The features.</param>
    public virtual IReadOnlyList<string> ClassesIn(IEnumerable<string> blocks, FeatureSpace space) => [];

    /// <summary>What to do where there are no labels that are needed, for a person.</summary>
    protected virtual string LabelProblem => $"{Type} learns classes from labels: set label to the field that holds them";

    /// <summary>What the model's features hold, as far as the type alone tells: of these options without fields of their own.</summary>
    public FeatureKind FeatureKind => PlanFeature("x").Kind;

    /// <summary>What one feature holds and how it is scaled.</summary>
    protected abstract Feature PlanFeature(string name);

    /// <summary>The same among the features of a schema, where it depends on the others.</summary>
    protected virtual Feature PlanFeature(string name, RecordSchema schema) => PlanFeature(name);

    /// <summary>What the target holds and how it is scaled, for a model that predicts one: it is the last column.</summary>
    protected virtual Feature PlanTarget(string name) => PlanFeature(name);
}
