using System.Text.Json.Nodes;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>A key with one value.</summary>
public sealed class ValueField<T>(Setting setting) : Field<T>(setting.Key, setting.Description)
    where T : class
{
    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder) => (T)binder.Read(setting, owner, value, path);

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) => Binding.Schema.Of(setting, seed);

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell) => tell(path, setting.Format(owner));
}

/// <summary>A secret written as it is, or better, as a variable.</summary>
public sealed class SecretField<T>(
    string key, string description, Func<T, string?> get, Func<T, string, T> set) : Field<T>(key, description)
    where T : class
{
    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder)
    {
        switch (value)
        {
            case ScalarNode { Text: null }:
                return owner;
            case ScalarNode { Text: { Length: > 0 } text }:
                binder.Secret(path, text);
                return set(owner, text);
            default:
                binder.Problems.Error(value.Origin, $"{ConfigPath.Shown(path)} cannot be used; expected a text that is not empty");
                return owner;
        }
    }

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) => Binding.Schema.Described(Binding.Schema.Text(isNullable: true), Description);

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell) => tell(path, get(owner) is null ? "null" : "(set)");
}

/// <summary>The <c>*_file</c> twin of a secret: the secret is the file's content, without the line break at its end.</summary>
public sealed class SecretFileField<T>(
    string key, string description, Func<T, string?> get, Func<T, string, T> set) : Field<T>(key, description)
    where T : class
{
    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder)
    {
        if (value is ScalarNode { Text: null }) return owner;
        if (value is not ScalarNode { Text: { Length: > 0 } file })
        {
            binder.Refuse(value, path, "the path of a file");
            return owner;
        }

        if (get(owner) is not null)
        {
            binder.Problems.Error(value.Origin, $"{ConfigPath.Shown(path)} and the same without _file are both set; keep one");
            return owner;
        }

        string? secret = VariableSubstitution.ReadFile(file, value.Origin, binder.Problems);
        if (secret is "") binder.Problems.Error(value.Origin, $"{ConfigPath.Shown(path)}: file '{file}' is empty");
        if (string.IsNullOrEmpty(secret)) return owner;
        binder.Secret(path, secret);
        return set(owner, secret);
    }

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) => Binding.Schema.Described(Binding.Schema.Text(isNullable: true), Description);

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell)
    {
        // told by the twin
    }
}
