using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>One kind of model.</summary>
/// <param name="type">The name in files: <c>gaussian_mixture</c>.</param>
/// <param name="description">One line for a person.</param>
/// <param name="create">The options with every default, given their entry.</param>
/// <param name="settings">What may be set.</param>
public sealed class ModelEntry(
    string type, string description, Func<ModelEntry, LatentModelOptions> create, params IReadOnlyList<Setting> settings)
    : OptionsEntry<LatentModelOptions>(type, description, settings)
{
    /// <inheritdoc/>
    public override LatentModelOptions CreateOptions() => create(this);
}

/// <summary>One family of components.</summary>
/// <param name="type">The name in files: <c>gaussian</c>; its mixture is <c>gaussian_mixture</c>.</param>
/// <param name="description">What one of its mixtures is good for: <c>K multivariate Gaussians; clusters of continuous records</c>.</param>
/// <param name="create">The options with every default.</param>
/// <param name="settings">What may be set.</param>
public sealed class EmissionEntry(string type, string description, Func<EmissionOptions> create, params IReadOnlyList<Setting> settings)
    : OptionsEntry<EmissionOptions>(type, description, settings)
{
    /// <inheritdoc/>
    public override EmissionOptions CreateOptions() => create();
}
