using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Factors;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Ratings;

/// <summary>
/// Probabilistic matrix factorisation (<c>type: matrix_factorization</c>): of whole rows with missing cells, a feature a column, or of
/// single cells, key the row and <c>column</c> the feature that names the column.
/// </summary>
internal sealed record MatrixFactorizationOptions : LatentModelOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "matrix_factorization",
        "A matrix with missing cells by q factors: what a user would give an item, with its variance; whole rows or single cells.",
        entry => new MatrixFactorizationOptions { Entry = entry },
        new Setting<MatrixFactorizationOptions, int>(
            "factors", new IntegerKind(1, 1024), o => o.Factors, (o, v) => o with { Factors = v }, "Number of factors q."),
        new Setting<MatrixFactorizationOptions, string?>(
            "column", new OptionalTextKind("the name of a feature, or null"), o => o.Column, (o, v) => o with { Column = v },
            "The feature that names a cell's column, where a record is a single cell: key names its row, the other holds its value."),
        new Setting<MatrixFactorizationOptions, int>(
            "max_columns", new IntegerKind(1, 1_000_000), o => o.MaxColumns, (o, v) => o with { MaxColumns = v },
            "The most columns that single cells name."),
        new Setting<MatrixFactorizationOptions, int>(
            "max_keys", new IntegerKind(1, 10_000_000), o => o.Keys, (o, v) => o with { Keys = v },
            "Rows of the matrix remembered at once, where cells come one by one; beyond them the one not met for longest is forgotten."),
        new Setting<MatrixFactorizationOptions, double>(
            "regularization", new NumberKind(Interval.AtLeast(0)), o => o.Regularization, (o, v) => o with { Regularization = v },
            "Imaginary cells of every column by which its loadings are held near 0."),
        PriorSetting.Of<MatrixFactorizationOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<MatrixFactorizationOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));

    /// <summary>Number of factors q.</summary>
    public int Factors { get; init; } = 2;

    /// <summary>The feature that names the column of a cell; null for whole rows.</summary>
    public string? Column { get; init; }

    /// <summary>The most columns that cells name.</summary>
    public int MaxColumns { get; init; } = 10_000;

    /// <summary>Rows remembered at once.</summary>
    public int Keys { get; init; } = 10_000;

    /// <summary>Imaginary cells of every column.</summary>
    public double Regularization { get; init; } = 1;

    /// <summary>Whether loadings are held near 0 and the noise above 0, or nothing is known before the first record.</summary>
    public Prior Prior { get; init; }

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <inheritdoc/>
    public override bool NeedsKey => Column is not null;

    /// <inheritdoc/>
    public override string? IntervalsProblem => "its loadings are known up to a rotation only, and so have no information of their own";

    /// <inheritdoc/>
    public override int MaxKeys => Column is null ? 0 : Keys;

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        if (Column is null)
        {
            if (Factors >= schema.Features.Count)
                yield return FormattableString.Invariant($"factors: {Factors} factors of {schema.Features.Count} columns; ")
                    + "there must be fewer factors than columns. Where a record is a single cell, set column to the feature that "
                    + "names its column";
            yield break;
        }
        if (!schema.Features.Contains(Column)) yield return $"column: '{Column}' is none of the features";
        else if (schema.Features.Count != 2)
            yield return FormattableString.Invariant(
                $"features: {schema.Features.Count} with column set; expected two, the column '{Column}' and the cell's value");
    }

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => Column is null ? Factors + 2 : 10L * (Factors + 2);

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        LatentModel model = Create(space.Features);
        model.Hold(Fixed);
        return model;
    }

    private LatentModel Create(IReadOnlyList<Feature> features)
    {
        if (Column is null)
            return new SingleComponent(Type, new FactorAnalyser(
                1, features.Count, Factors, isIsotropic: true, isAlone: true,
                CovarianceRegularization.Of(features, Prior == Prior.None ? 0 : 1e-6)));
        int column = features[0].Name == Column ? 0 : 1;
        // Without a single column there is one, which never comes.
        IReadOnlyList<string> columns = features[column].Levels is { Count: > 0 } known ? known : [""];
        return new CellFactors(Type, columns, column, Factors)
        {
            Spread = features[1 - column].Variance,
            Centre = features[1 - column].Mean,
            Regularization = Prior == Prior.None ? 0 : Regularization,
        };
    }

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) =>
        Column is null ? new Feature(name, Scaling: FeatureScaling.CommonScale)
        : name == Column ? new Feature(name, FeatureKind.Level, FeatureScaling.None) { MaxLevels = MaxColumns }
        : new Feature(name);
}
