using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>One kind of model: its name, what it is for, its settings with ranges, and its options with every default in place.</summary>
public sealed class ModelEntry
{
    private readonly Func<LatentModelOptions> _create;

    private ModelEntry(string type, string description, Func<LatentModelOptions> create, IReadOnlyList<Setting> settings) =>
        (Type, Description, _create, Settings) = (type, description, create, settings);

    /// <summary>The name: <c>gaussian_mixture</c>.</summary>
    public string Type { get; }

    /// <summary>One line for a person.</summary>
    public string Description { get; }

    /// <summary>What may be set.</summary>
    public IReadOnlyList<Setting> Settings { get; }

    /// <summary>Describes a model whose options are <typeparamref name="TOptions"/>.</summary>
    /// <param name="type">The name in files.</param>
    /// <param name="description">One line for a person.</param>
    /// <param name="create">The options with every default.</param>
    /// <param name="settings">What may be set; every one a setting of <typeparamref name="TOptions"/>.</param>
    public static ModelEntry Of<TOptions>(string type, string description, Func<TOptions> create, params Setting[] settings)
        where TOptions : LatentModelOptions =>
        new(type, description, create, settings);

    /// <summary>The options record with every default.</summary>
    public LatentModelOptions CreateOptions() => _create();

    /// <summary>The values of options by their names, as canonical text.</summary>
    public IReadOnlyDictionary<string, string> Format(LatentModelOptions options)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (Setting setting in Settings) values[setting.Key] = setting.Format(options);
        return values;
    }

    /// <summary>The inverse of <see cref="Format"/>; a setting left out has its default, names that are not settings are passed over.</summary>
    /// <exception cref="FormatException">A value does not fit its setting.</exception>
    public LatentModelOptions Read(IReadOnlyDictionary<string, string> values)
    {
        object options = _create();
        foreach (Setting setting in Settings)
        {
            if (values.TryGetValue(setting.Key, out string? text) && !setting.TryRead(options, text, out options))
                throw new FormatException($"{setting.Key} is '{text}'; expected {setting.Expected}.");
        }

        return (LatentModelOptions)options;
    }
}
