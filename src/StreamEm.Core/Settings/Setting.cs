namespace StreamEm.Core.Settings;

/// <summary>
/// One named value of an options record, described once: reading it from text, its canonical text, its range and what it is for. The
/// default is the record's own. Immutable; knows no file format.
/// </summary>
public abstract class Setting
{
    private protected Setting(string key, string description) => (Key, Description) = (key, description);

    /// <summary>The name in files, snake_case.</summary>
    public string Key { get; }

    /// <summary>One line for a person.</summary>
    public string Description { get; }

    /// <summary>What is expected, for a person.</summary>
    public abstract string Expected { get; }

    /// <summary>The canonical text of the value that <paramref name="options"/> holds; <c>null</c> for none.</summary>
    public abstract string Format(object options);

    /// <summary>The words that may be written, where there are few.</summary>
    public abstract IReadOnlyList<string> Words { get; }

    /// <summary>What is written; the compact JSON of a <see cref="ValueForm.Structure"/> is then the text.</summary>
    public abstract ValueForm Form { get; }

    /// <summary>Whether null may be written.</summary>
    public abstract bool IsNullable { get; }

    /// <summary>What is wrong with a text that cannot be read, for a person; null where <see cref="Expected"/> says enough.</summary>
    public abstract string? Problem(string text);

    /// <summary>Copies a record with the value read from a text.</summary>
    /// <param name="options">The record, of the setting's type.</param>
    /// <param name="text">What was written; null stands for null.</param>
    /// <param name="result">The copy; <paramref name="options"/> themselves when the text does not fit.</param>
    public abstract bool TryRead(object options, string? text, out object result);
}

/// <summary>A setting of <typeparamref name="TOptions"/>.</summary>
/// <param name="key">The name in files.</param>
/// <param name="kind">What values it takes.</param>
/// <param name="get">Reads the value of a record.</param>
/// <param name="set">Copies a record with another value.</param>
/// <param name="description">One line for a person.</param>
public sealed class Setting<TOptions, TValue>(
    string key, ValueKind<TValue> kind, Func<TOptions, TValue> get, Func<TOptions, TValue, TOptions> set, string description) : Setting(
        key, description)
    where TOptions : class
{
    /// <inheritdoc/>
    public override string Expected => kind.Expected;

    /// <inheritdoc/>
    public override string Format(object options) => kind.Format(get((TOptions)options));

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => kind.Words;

    /// <inheritdoc/>
    public override ValueForm Form => kind.Form;

    /// <inheritdoc/>
    public override bool IsNullable => kind.IsNullable;

    /// <inheritdoc/>
    public override string? Problem(string text) => kind.Problem(text);

    /// <inheritdoc/>
    public override bool TryRead(object options, string? text, out object result)
    {
        bool fits = kind.TryParse(text, out TValue? value);
        result = fits ? set((TOptions)options, value!) : options;
        return fits;
    }
}

/// <summary>A setting of a record that another record holds.</summary>
/// <param name="inner">The setting of the record held.</param>
/// <param name="get">Reads the record held.</param>
/// <param name="set">Copies the outer record with another one held.</param>
internal sealed class NestedSetting<TOuter>(
    Setting inner, Func<TOuter, object> get, Func<TOuter, object, TOuter> set) : Setting(inner.Key, inner.Description)
    where TOuter : class
{
    /// <inheritdoc/>
    public override string Expected => inner.Expected;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => inner.Words;

    /// <inheritdoc/>
    public override ValueForm Form => inner.Form;

    /// <inheritdoc/>
    public override bool IsNullable => inner.IsNullable;

    /// <inheritdoc/>
    public override string? Problem(string text) => inner.Problem(text);

    /// <inheritdoc/>
    public override string Format(object options) => inner.Format(get((TOuter)options));

    /// <inheritdoc/>
    public override bool TryRead(object options, string? text, out object result)
    {
        bool fits = inner.TryRead(get((TOuter)options), text, out object held);
        result = fits ? set((TOuter)options, held) : options;
        return fits;
    }
}
