using StreamEm.Core.Data;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Classifiers;

/// <summary>
/// A generative classifier, a mixture for every class: p(x, c) = class_weights[c] sum_j weights_c[j] p(x given c, j), so that
/// p(c given x) follows from Bayes' rule, also where values of x are missing (Hastie &amp; Tibshirani 1996). A label is the class; a
/// record without one is shared out between the classes by p(c given x) (Nigam, McCallum, Thrun &amp; Mitchell 2000). With one component
/// a class and independent features it is naive Bayes. Parameters: <c>class_weights [C]</c>, then <c>CLASS.weights [K]</c> and the
/// families' blocks of every class. Statistics: <c>masses [C K]</c>, then the families'.
/// </summary>
internal sealed class Classifier : EmissionModel
{
    private readonly ClassEmission _classes;
    private readonly int _ofClass;

    /// <summary>A classifier called <paramref name="type"/> in the catalogue.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="names">The classes.</param>
    /// <param name="emission">Their components.</param>
    public Classifier(string type, IReadOnlyList<string> names, ClassEmission emission)
        : base(type, emission, OwnLayout(names, emission.OfClass), new VectorLayout().Add("masses", emission.Components))
    {
        (_classes, _ofClass, Classes) = (emission, emission.OfClass, names);
        ScoreLayout = new VectorLayout().Add(MembershipBlock, Units.None, Domain.Simplex, Components)
            .Add("class_probabilities", Units.None, Domain.Simplex, names.Count);
    }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes { get; }

    /// <inheritdoc/>
    public override string MembershipBlock => "responsibilities";

    /// <inheritdoc/>
    /// <remarks>Labels say whose a component is: one that has lost its weight is kept for them.</remarks>
    public override bool CanReseed => false;

    /// <inheritdoc/>
    /// <remarks>With one component a class there is no choice among them.</remarks>
    protected override string[] DescribeOwn(ModelGraph graph)
    {
        string label = graph.Add(new GraphVariable("class", GraphRole.Partial, [graph.Add("class_weights")]));
        graph.Components = _ofClass == 1 ? "C classes" : "C classes, K components each";
        if (_ofClass == 1) return [label];
        return [label, graph.Add(new GraphVariable("z", GraphRole.Latent, [label, graph.Add("weights", isPerComponent: true)]))];
    }

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as MixtureEStep ?? new MixtureEStep(Components, Dimension, StatisticsLayout.Length, ScoreLayout.Length,
            SoftResponsibilities.Instance, classes: Classes.Count);
        Span<double> weights = Components <= 512 ? stackalloc double[Components] : new double[Components];
        Shares(parameters.Span, weights);
        result.Set(weights, Emission.Prepare(parameters[OwnParameters..], result.Emission));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        ReadOnlySpan<double> masses = statistics[..Components];
        if (!(Sum(masses) > 0))
        {
            previous.CopyTo(result);
            return;
        }
        previous[..OwnParameters].CopyTo(result);
        Divide(masses, rows.Evidence, result);
        Emission.Maximize(masses, statistics[OwnStatistics..], rows, previous[OwnParameters..], result[OwnParameters..], events);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        Shares(parameters, result[..Components]);
        Emission.ImpliedStatistics(result[..Components], parameters[OwnParameters..], effectiveRows, result[OwnStatistics..]);
    }

    /// <inheritdoc/>
    public override bool HasGradient => Emission.HasGradient;

    /// <inheritdoc/>
    protected override void OwnGradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result)
    {
        for (int c = 0; c < Classes.Count; c++)
        {
            ReadOnlySpan<double> of = averages.Slice(c * _ofClass, _ofClass);
            double mass = Sum(of);
            result[c] = parameters[c] > 0 ? mass / parameters[c] : 0;
            Slopes(of, parameters.Slice(Classes.Count + c * _ofClass, _ofClass), result.Slice(Classes.Count + c * _ofClass, _ofClass));
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result[..Classes.Count].Fill(1.0 / Classes.Count);
        result[Classes.Count..OwnParameters].Fill(1.0 / _ofClass);
        Emission.Neutral(result[OwnParameters..]);
    }

    /// <inheritdoc/>
    public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares)
    {
        for (int k = 0; k < Components; k++) shares[k] = parameters[k / _ofClass] * parameters[Classes.Count + k];
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Every class starts with a mixture of the buffer's rows labelled so, as if there were no others; all rows then have their say. A
    /// class with too few rows to tell components starts where all rows are.
    /// </remarks>
    public override double[] Start(Minibatch buffer, ModelStart start)
    {
        double[] theta = new double[ParameterLayout.Length];
        Neutral(theta);
        double[] counts = new double[Classes.Count];
        for (int c = 0; c < Classes.Count; c++)
        {
            Minibatch rows = OfClass(buffer, c);
            counts[c] = rows.Count == 0 ? 0 : rows.TotalWeight;
            if (rows.Count < _ofClass + 1) rows = Unlabelled(buffer);
            var mixture = new Mixture(Type, _classes.Of(c));
            double[] of = start.Partition(mixture, rows);
            of.AsSpan(0, _ofClass).CopyTo(theta.AsSpan(Classes.Count + c * _ofClass));
            of.AsSpan(_ofClass).CopyTo(_classes.Parameters(theta.AsSpan(OwnParameters), c));
        }
        double total = Sum(counts) + Classes.Count;
        for (int c = 0; c < Classes.Count; c++) theta[c] = (counts[c] + 1) / total;
        return start.Best(this, buffer, _ => theta);
    }

    /// <inheritdoc/>
    protected override ReadOnlySpan<double> Mixing(ReadOnlySpan<double> parameters, int before)
    {
        double[] shares = new double[Components];
        Shares(parameters, shares);
        return shares;
    }

    /// <inheritdoc/>
    protected override void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double share, double factor)
    {
        double[] shares = new double[Components];
        Shares(parameters, shares);
        GiveShare(shares, component, share);
        Divide(shares, double.PositiveInfinity, parameters);
    }

    /// <inheritdoc/>
    /// <remarks>No cluster is of a class before a label says so.</remarks>
    public override bool TryPlace(
        Span<double> parameters, Span<double> statistics, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances,
        double share) => false;

    /// <summary>Shares of all components as weights of the classes, and of their components; a class without any keeps those.</summary>
    private void Divide(ReadOnlySpan<double> masses, double evidence, Span<double> result)
    {
        double total = Sum(masses);
        for (int c = 0; c < Classes.Count; c++)
        {
            ReadOnlySpan<double> of = masses.Slice(c * _ofClass, _ofClass);
            double mass = Sum(of);
            result[c] = mass / total;
            if (!(mass * evidence >= ComponentEvidence.Some)) continue;
            for (int j = 0; j < _ofClass; j++) result[Classes.Count + c * _ofClass + j] = of[j] / mass;
        }
    }

    /// <summary>The rows that are of a class, or more probably than not, by their label; without labels.</summary>
    private static Minibatch OfClass(Minibatch buffer, int number)
    {
        var rows = new Minibatch(buffer.Dimension, Math.Max(1, buffer.Count));
        for (int row = 0; row < buffer.Count; row++)
        {
            ReadOnlySpan<double> says = buffer.Evidence(row);
            if (says.IsEmpty ? buffer.Label(row) == number : 2 * says[number] > Sum(says)) rows.Add(buffer.Row(row), buffer.Weight(row));
        }
        return rows;
    }

    private static Minibatch Unlabelled(Minibatch buffer)
    {
        var rows = new Minibatch(buffer.Dimension, buffer.Count);
        for (int row = 0; row < buffer.Count; row++) rows.Add(buffer.Row(row), buffer.Weight(row));
        return rows;
    }

    private static double Sum(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) sum += value;
        return sum;
    }

    private static VectorLayout OwnLayout(IReadOnlyList<string> names, int ofClass)
    {
        VectorLayout layout = new VectorLayout().Add("class_weights", Units.None, Domain.Simplex, names.Count);
        foreach (string name in names)
            layout.Add(new VectorBlock($"{name}.weights", 0, [ofClass], Coordinates.Linear)
            {
                Domain = Domain.Simplex,
                IsOptional = ofClass == 1,
            });
        return layout;
    }
}
