using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>Rules about models per key.</summary>
internal sealed class KeyRules(Binder binder)
{
    /// <summary>Reports what is broken or probably not meant.</summary>
    public void Check(ModelOptions model, string path)
    {
        if (!model.PerKey) return;
        if (model.Schema.Key is null)
            Error($"{path}.per_key", "per_key is a model for every key: name the field of the key with 'key'");
        if (model.Model is { Grown: null } && model.ScaleOut is not null)
            Error($"{path}.per_key", "the mixture of a key is one of Gaussians that grows: set model.type to gaussian_mixture");
        if (model.ScaleOut is not null && model.Schema.Weight is not null)
            Error($"{path}.per_key", "the mixture of a key counts every record once: leave weight out");
        if (model.Model is { Growth: null } && model.ScaleOut is null)
            Error($"{path}.per_key",
                "per_key needs a mixture that grows, so that a key can begin with its first record: set model.components to {max: 8}");
        if (model.Alarms is { FalseDiscoveryRate: not null })
            Error($"{path}.alarms.false_discovery_rate",
                "false_discovery_rate counts on p-values from many records, and a key may have few: use alarms.threshold with per_key");
    }

    private void Error(string path, string message) => binder.Problems.Error(binder.OriginOf(path), message);
}
