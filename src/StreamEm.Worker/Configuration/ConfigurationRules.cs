using System.Globalization;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Configuration.Tables;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>Rules that one key alone cannot break. Parts that could not be read are left out: their errors are known already.</summary>
internal sealed class ConfigurationRules(WorkerOptions options, Binder binder)
{
    /// <summary>Below this expected number of records a component, the parameter recursion's bias is above 5 %.</summary>
    private const double EnoughRecordsPerComponent = 20;

    /// <summary>How many times the fewest rows that determine first parameters the buffer should hold.</summary>
    private const int EnoughTimesRowsToStart = 5;

    /// <summary>Reports what is broken or probably not meant.</summary>
    public void Check()
    {
        if (!AddressKind.IsLoopback(options.Http.Address) && options.Http.AuthToken is null)
        {
            binder.Problems.Error(
                binder.OriginOf("http.address"),
                $"http.address {options.Http.Address} can be reached from other machines; set http.auth_token_file, or listen on "
                    + "127.0.0.1");
        }

        var ids = new Dictionary<string, Origin>(StringComparer.Ordinal);
        Origin? stdin = null;
        for (int i = 0; i < options.Models.Count; i++)
        {
            ModelOptions model = options.Models[i];
            string path = ConfigPath.Join("models", i);
            Origin id = binder.OriginOf($"{path}.id");
            if (model.Id.Length > 0 && !ids.TryAdd(model.Id, id))
                binder.Problems.Error(id, $"id '{model.Id}' is used twice; the first is at {ids[model.Id]}");
            if (model.Source is StdinSourceOptions)
            {
                Origin source = binder.OriginOf($"{path}.source.stdin");
                if (stdin is { } first) binder.Problems.Error(source, $"standard input can feed one model only; the first is at {first}");
                stdin ??= source;
            }

            if (model.Source is not null) new DialectRules(binder).Check(model, path);
            new ScoreRules(binder).Check(model, path);
            new FeatureRules(binder).Check(model, path);
            new KeyRules(binder).Check(model, path);
            if (model.Candidates is not null && model.Model is not null && !Candidate.CanBeOf(model.Model))
                binder.Problems.Error(binder.OriginOf($"{path}.candidates"),
                    $"candidates: a model of type {model.Model.Type} has no number of components to compare; leave them out");
            if (model.Model is not null) new LearnRules(binder).Check(model, path);
            new ScaleOutRules(binder).Check(model, path);
            if (model.Model is not null && model.Schema.Features.Count > 0 && FitsSchema(model, path)
                && Components(model, path) is { } components)
                CheckSizes(model, components, path);
        }

        TestTable.Check(options, binder);
        new PathRules(options, binder).Check();
        new TopicRules(options, binder).Check();
        new SharedGroupRules(options, binder).Check();
        new KafkaRules(options, binder).Check();
        new MqttRules(options, binder).Check();
    }

    /// <summary>Whether the model can learn from records of this schema; else problems.</summary>
    private bool FitsSchema(ModelOptions model, string path)
    {
        bool fits = true;
        foreach (string problem in model.Model.ProblemsWith(model.Schema))
        {
            fits = false;
            binder.Problems.Error(binder.OriginOf($"{path}.model"), problem);
        }

        if (model.Learning.Responsibilities.Kind != ResponsibilityKind.Soft && !model.Model.HasResponsibilities)
        {
            fits = false;
            binder.Problems.Error(binder.OriginOf($"{path}.learning.responsibilities"),
                $"{model.Model.Type} has no responsibilities that could be "
                    + $"{model.Learning.Responsibilities.Kind.ToString().ToLowerInvariant()}; leave it out");
        }

        if (model.Learning.Recursion == Recursion.Parameters && model.Model.ParameterRecursionProblem is { } unsound)
        {
            fits = false;
            binder.Problems.Error(binder.OriginOf($"{path}.learning.recursion"),
                $"recursion: parameters is not for {model.Model.Type}: {unsound}. Use recursion: statistics");
        }

        if (model.Learning.Intervals && IntervalRules.ProblemOf(model) is { } unsure)
        {
            fits = false;
            binder.Problems.Error(binder.OriginOf($"{path}.learning.intervals"), unsure);
        }

        if (model.Model.MaxKeys > 0 && model.Model.MaxKeys < model.Learning.MinibatchSize)
        {
            fits = false;
            binder.Problems.Error(binder.OriginOf($"{path}.model.max_keys"), string.Create(
                CultureInfo.InvariantCulture,
                $"max_keys {model.Model.MaxKeys} is smaller than minibatch.size {model.Learning.MinibatchSize}: a minibatch may hold more "
                    + $"keys than can be remembered; use at least {model.Learning.MinibatchSize}"));
        }

        return fits;
    }

    /// <summary>K, 0 for a model without components; null, and a problem, when the model does not fit into an array.</summary>
    private int? Components(ModelOptions model, string path)
    {
        int dimension = model.Schema.Features.Count;
        try
        {
            return (model.Model.CreateLargest(model.Schema) as ComponentModel)?.Components ?? 0;
        }
        catch (ArgumentException failure) when (failure.ParamName == "blocks")
        {
            binder.Problems.Error(binder.OriginOf($"{path}.model.fixed"),
                failure.Message.Replace(" (Parameter 'blocks')", "", StringComparison.Ordinal));
            return null;
        }
        catch (OverflowException)
        {
            binder.Problems
                .Error(binder.OriginOf($"{path}.model"),
                    $"a model of {dimension} features and these settings has more than {int.MaxValue} parameters; use fewer components, or "
                        + "a smaller covariance_type");
            return null;
        }
    }

    private void CheckSizes(ModelOptions model, int components, string path)
    {
        int size = model.Learning.MinibatchSize;
        if (components == 0) return;
        double perComponent = (double)size / components;
        if (model.Learning.Recursion == Recursion.Parameters && perComponent < EnoughRecordsPerComponent)
        {
            Warn($"{path}.learning.minibatch.size", string.Create(
                CultureInfo.InvariantCulture,
                $"minibatches of m = {size} records are small for K = {components} components and the parameter recursion: with weights "
                    + $"near pi = 1/K "
                + $"{(HasCovariances(model) ? "covariances" : "parameters")} come out biased by about -1/(m pi) = {-1 / perComponent:P0}; "
                + $"use minibatch.size of at least {EnoughRecordsPerComponent * components}, or recursion: statistics"));
        }

        if (model.InitializeFrom is not null) return;
        int buffer = model.Learning.Initialization.Buffer;
        if (buffer < size)
        {
            Warn($"{path}.learning.initialization.buffer", string.Create(
                CultureInfo.InvariantCulture,
                $"initialization.buffer {buffer} is smaller than minibatch.size {size}: the first parameters come from fewer records than "
                    + $"one update; use at least {size}"));
        }

        long enough = EnoughTimesRowsToStart * model.Model.RowsToStart(Math.Max(1, model.Schema.Features.Count));
        if (buffer < enough)
        {
            Warn($"{path}.learning.initialization.buffer", string.Create(
                CultureInfo.InvariantCulture,
                $"initialization.buffer {buffer} is small for K = {components} components of D = {model.Schema.Features.Count} features: "
                    + $"use at least {enough}"));
        }
    }

    private static bool HasCovariances(ModelOptions model) => model.Model.CreateLargest(model.Schema).ParameterLayout.Blocks
        .Any(block => block.Name.EndsWith("covariances", StringComparison.Ordinal));

    private void Warn(string path, string message) => binder.Problems.Warn(binder.OriginOf(path), message);
}
