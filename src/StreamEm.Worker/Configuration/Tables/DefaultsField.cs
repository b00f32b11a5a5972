using System.Text.Json.Nodes;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary><c>defaults</c>: part of every model before the models are read (<see cref="ModelDefaults"/>), so that nothing is left to
/// read.</summary>
internal sealed class DefaultsField() : Field<WorkerOptions>(
    ModelDefaults.Key, "What every model has that does not say otherwise; {id} in a text is the model's id.")
{
    /// <inheritdoc/>
    public override WorkerOptions Bind(WorkerOptions owner, ConfigNode value, string path, Binder binder) => owner;

    /// <inheritdoc/>
    public override JsonObject Schema(WorkerOptions seed)
    {
        JsonObject schema = WorkerTable.Model.Schema();
        schema["type"] = Binding.Schema.Texts(["object", "null"]);
        schema.Remove("required");
        ((JsonObject)schema["properties"]!).Remove("id");
        // A type may be each model's own: the settings of any model may be here.
        schema["properties"]!["model"] = new JsonObject { ["type"] = "object" };
        return Binding.Schema.Described(schema, Description);
    }

    /// <inheritdoc/>
    public override void Describe(WorkerOptions owner, string path, Action<string, string> tell)
    {
        // told by every model
    }
}
