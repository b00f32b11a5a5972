using System.Text.Json;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Golden;

/// <summary>The ways golden files write the rows of a batch; null is a missing value.</summary>
internal static class GoldenRows
{
    /// <summary>Rows of D numbers, or numbers where D is 1; or <c>X</c> with <c>labels</c>, -1 = unlabelled.</summary>
    public static Minibatch Table(JsonElement batch)
    {
        bool labelled = batch.ValueKind == JsonValueKind.Object;
        JsonElement rows = labelled ? batch.GetProperty("X") : batch;
        var result = new Minibatch(GoldenPath.Flatten(rows[0]).Count());
        for (int row = 0; row < rows.GetArrayLength(); row++)
            result.Add([.. GoldenPath.Flatten(rows[row])],
                label: labelled ? batch.GetProperty("labels")[row].GetInt32() : Minibatch.Unlabelled);
        return result;
    }

    /// <summary>Sequences of rows: each begins a sequence, and its number is the key of its rows.</summary>
    public static Minibatch Sequences(JsonElement batch)
    {
        var result = new Minibatch(GoldenPath.Flatten(batch[0][0]).Count());
        for (int sequence = 0; sequence < batch.GetArrayLength(); sequence++)
        {
            result.BeginSequence();
            foreach (JsonElement row in batch[sequence].EnumerateArray()) result.Add([.. GoldenPath.Flatten(row)], key: sequence);
        }
        return result;
    }

    /// <summary>
    /// Mixed records, column by column: <c>gauss</c> of several features, <c>cat</c> with -1 for a missing code, <c>count</c>.
    /// </summary>
    /// <param name="columns">The members, in the order of the features.</param>
    /// <param name="codes">The member, if any, where -1 stands for missing.</param>
    public static Func<JsonElement, Minibatch> Columns(string[] columns, string? codes = null) => batch =>
    {
        double[] RowOf(int row) => [.. columns.SelectMany(column => GoldenPath.Flatten(batch.GetProperty(column)[row])
            .Select(value => column == codes && value == -1 ? double.NaN : value))];
        var result = new Minibatch(RowOf(0).Length);
        for (int row = 0; row < batch.GetProperty(columns[0]).GetArrayLength(); row++) result.Add(RowOf(row));
        return result;
    };
}
