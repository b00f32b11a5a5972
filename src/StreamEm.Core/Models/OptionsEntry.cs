using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>
/// One entry of a catalogue: its name, what it is for, its settings with ranges, and its options with every default in place.
/// </summary>
/// <typeparam name="TOptions">The base of the catalogue's options records.</typeparam>
/// <param name="type">The name in files: <c>gaussian_mixture</c>.</param>
/// <param name="description">One line for a person.</param>
/// <param name="settings">What may be set; every one a setting of the options made.</param>
public abstract class OptionsEntry<TOptions>(string type, string description, IReadOnlyList<Setting> settings)
    where TOptions : class
{
    /// <summary>The name.</summary>
    public string Type => type;

    /// <summary>One line for a person.</summary>
    public string Description => description;

    /// <summary>What may be set.</summary>
    public IReadOnlyList<Setting> Settings => settings;

    /// <summary>The options record with every default.</summary>
    public abstract TOptions CreateOptions();

    /// <summary>The values of options by their names, as canonical text.</summary>
    public IReadOnlyDictionary<string, string> Format(TOptions options)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (Setting setting in Settings) values[setting.Key] = setting.Format(options);
        return values;
    }

    /// <summary>
    /// The inverse of <see cref="Format"/>; a setting left out has its default, names that are not settings are passed over.
    /// </summary>
    /// <exception cref="FormatException">A value does not fit its setting.</exception>
    public TOptions Read(IReadOnlyDictionary<string, string> values)
    {
        object options = CreateOptions();
        foreach (Setting setting in Settings)
        {
            if (!values.TryGetValue(setting.Key, out string? text)) continue;
            // What Format writes for no value.
            if (text == "null" && setting.IsNullable) text = null;
            if (!setting.TryRead(options, text, out options))
                throw new FormatException($"{setting.Key} is '{text ?? "null"}'; expected {setting.Expected}.");
        }
        return (TOptions)options;
    }
}
