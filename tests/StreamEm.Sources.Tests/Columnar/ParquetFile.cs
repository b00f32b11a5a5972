using Parquet;
using Parquet.Schema;

namespace StreamEm.Sources.Tests.Columnar;

/// <summary>Writes Parquet files.</summary>
internal static class ParquetFile
{
    /// <summary>One column of a file to be written.</summary>
    /// <param name="Field">Its name and type.</param>
    /// <param name="Write">Writes the rows from a first one on, so many of them.</param>
    internal sealed record Column(DataField Field, Func<ParquetRowGroupWriter, int, int, Task> Write);

    /// <summary>A column without nulls.</summary>
    public static Column Of<T>(string name, params T[] values)
        where T : struct => Of(new DataField<T>(name, nullable: false), values);

    /// <summary>A column without nulls, of a type that is more than its values'.</summary>
    public static Column Of<T>(DataField field, params T[] values)
        where T : struct =>
        new(field, (group, first, count) => group.WriteAsync<T>(field, values.AsMemory(first, count)));

    /// <summary>A column with nulls.</summary>
    public static Column Of<T>(string name, params T?[] values)
        where T : struct => OfNullable(new DataField<T>(name, nullable: true), values);

    /// <summary>A column with nulls, of a type that is more than its values'.</summary>
    public static Column OfNullable<T>(DataField field, params T?[] values)
        where T : struct =>
        new(field, (group, first, count) => group.WriteAsync<T>(field, new ReadOnlyMemory<T?>(values, first, count)));

    /// <summary>A column of texts.</summary>
    public static Column Texts(string name, params string?[] values)
    {
        var field = new DataField<string>(name);
        return new Column(field, (group, first, count) => group.WriteAsync(field, values[first..(first + count)]!));
    }

    /// <summary>Writes a file of row groups of a size, the last of what is left, and answers its path.</summary>
    public static async Task<string> WriteAsync(string path, int rows, int groupRows, params Column[] columns)
    {
        await using FileStream file = File.Create(path);
        await using ParquetWriter writer =
            await ParquetWriter.CreateAsync(new ParquetSchema([.. columns.Select(column => column.Field)]), file);
        for (int first = 0; first < rows; first += groupRows)
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            foreach (Column column in columns) await column.Write(group, first, Math.Min(groupRows, rows - first));
        }
        return path;
    }
}
