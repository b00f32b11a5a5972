using System.Globalization;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>Where a value stands in the configuration: keys and list indices joined by dots, as <c>--set</c> takes them.</summary>
public static class ConfigPath
{
    /// <summary>The path of a key.</summary>
    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    /// <summary>The path of a list's item.</summary>
    public static string Join(string path, int index) => Join(path, index.ToString(CultureInfo.InvariantCulture));

    /// <summary>The path around this one; empty at the top.</summary>
    public static string Parent(string path) => path.LastIndexOf('.') is var dot and >= 0 ? path[..dot] : "";

    /// <summary>What messages call it: within a model the model's own path is left out, because the line says which one it is.</summary>
    public static string Shown(string path)
    {
        string[] parts = path.Split('.', 3);
        return parts is ["models", _, var inner] ? inner : path;
    }
}
