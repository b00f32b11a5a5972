using Parquet.Schema;
using StreamEm.Core.Features;
using StreamEm.Sources.Columnar;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Surveys;

/// <summary>
/// Reads the first rows of a Parquet file, a column at a time. Columns of lists, of maps and of types without a text are left out; fields
/// of structs have a path with dots.
/// </summary>
internal static class ParquetSurvey
{
    private static readonly FieldSpelling Spelling = new(new RecordSchema { Features = [] });

    /// <summary>Reads every column.</summary>
    /// <returns>Rows looked at.</returns>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static int Read(ParquetTable table, DataSurvey survey)
    {
        survey.Records = (int)Math.Min(table.Rows, DataSurvey.MostRecords);
        survey.Unusable = table.Unusable();
        foreach (DataField field in table.Columns)
        {
            using ParquetColumn? column = ParquetColumn.Create(field);
            if (column is null || survey.Field(column.Name) is not { } found) continue;
            for (int group = 0; group < table.Groups.Count && table.Groups[group].First < survey.Records; group++)
            {
                table.Load(group, [column]);
                int rows = (int)Math.Min(table.Groups[group].End, survey.Records) - (int)table.Groups[group].First;
                column.Take(0, rows);
                for (int row = 0; row < rows; row++) found.Add(column.Text(row), Spelling);
            }
        }
        return survey.Records;
    }
}
