using System.Text.Json.Nodes;
using StreamEm.Core.Features;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary><c>where</c>: an expression over the fields of a record; a mistake in it is told at its own line and column.</summary>
internal sealed class WhereField() : Field<ModelOptions>(
    "where", "Which records the model is about, as kind == \"pump\" and speed > 0; others are passed over. null: all.")
{
    /// <inheritdoc/>
    public override ModelOptions Bind(ModelOptions owner, ConfigNode value, string path, Binder binder)
    {
        if (value is not ScalarNode scalar)
        {
            binder.Refuse(value, path, "an expression such as kind == \"pump\" and speed > 0");
            return owner;
        }

        if (scalar.Text is null) return owner;
        if (RecordFilter.Parse(scalar.Text, out FilterProblem? problem) is { } filter)
            return owner with { Schema = owner.Schema with { Where = filter } };
        binder.Problems.Error(scalar.At(problem!.Position), $"where: {problem.Message}");
        return owner;
    }

    /// <inheritdoc/>
    public override JsonObject Schema(ModelOptions seed) =>
        Binding.Schema.Described(new JsonObject { ["type"] = Binding.Schema.Texts(["string", "null"]) }, Description);

    /// <inheritdoc/>
    public override void Describe(ModelOptions owner, string path, Action<string, string> tell) =>
        tell(path, owner.Schema.Where?.ToString() ?? "null");
}
