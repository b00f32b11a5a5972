using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>One kind of model: its name, what it is for, its settings with ranges, and its options with every default in place.</summary>
public sealed class ModelEntry
{
    private readonly Func<object> _create;
    private readonly Func<object, int> _components;
    private readonly Func<object, int, long> _rowsToStart;

    private ModelEntry(
        string type,
        string description,
        Type optionsType,
        Func<object> create,
        Func<object, int> components,
        Func<object, int, long> rowsToStart,
        IReadOnlyList<Setting> settings)
    {
        OptionsType = optionsType;
        (Type, Description, Settings) = (type, description, settings);
        (_create, _components, _rowsToStart) = (create, components, rowsToStart);
    }

    /// <summary>The name: <c>gaussian_mixture</c>.</summary>
    public string Type { get; }

    /// <summary>One line for a person.</summary>
    public string Description { get; }

    /// <summary>The options record.</summary>
    public Type OptionsType { get; }

    /// <summary>What may be set.</summary>
    public IReadOnlyList<Setting> Settings { get; }

    /// <summary>Describes a model whose options are <typeparamref name="TOptions"/>.</summary>
    /// <param name="type">The name in files.</param>
    /// <param name="description">One line for a person.</param>
    /// <param name="create">The options with every default.</param>
    /// <param name="components">The number of components (states, topics) K of given options.</param>
    /// <param name="rowsToStart">The fewest rows that determine first parameters of given options and number of features D.</param>
    /// <param name="settings">What may be set; every one a setting of <typeparamref name="TOptions"/>.</param>
    public static ModelEntry Of<TOptions>(
        string type, string description, Func<TOptions> create, Func<TOptions, int> components, Func<TOptions, int, long> rowsToStart, params Setting[] settings)
        where TOptions : class =>
        new(type, description, typeof(TOptions), create, o => components((TOptions)o), (o, dimension) => rowsToStart((TOptions)o, dimension), settings);

    /// <summary>The options record with every default.</summary>
    public object CreateOptions() => _create();

    /// <summary>The number of components K.</summary>
    public int Components(object options) => _components(options);

    /// <summary>The fewest rows that determine first parameters.</summary>
    public long RowsToStart(object options, int dimension) => _rowsToStart(options, dimension);
}
