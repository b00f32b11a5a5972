namespace StreamEm.Core.Models.Sequences;

/// <summary>One thread's memory for sequences of any length.</summary>
internal sealed class SequenceWorkspace : BlockWorkspace
{
    private readonly int _states;
    private double[] _likelihoods = [], _logLikelihoods = [], _alpha = [], _gamma = [], _completed = [], _unmasked = [];
    private int[] _ways = [];

    /// <summary>For sequences over so many features and states.</summary>
    public SequenceWorkspace(int dimension, int states)
        : base(dimension, states)
    {
        _states = states;
        (Predicted, Beta, Carried, CarriedBefore) = (new double[states], new double[states], new double[states], new double[states]);
        (OwnBefore, Pairs) = (new double[states * (states + 1)], new double[states * states]);
    }

    /// <summary>c_t.</summary>
    public double[] Scale { get; private set; } = [];

    /// <summary>log p(x_t given the rows before it).</summary>
    public double[] RowLogDensities { get; private set; } = [];

    /// <summary>Whether a row has no value, or none that any state can produce.</summary>
    public bool[] SaysNothing { get; private set; } = [];

    /// <summary>How far a row is from the nearest state, d^2 / c^2; any number up to 1 where it is near.</summary>
    public double[] RelativeSquares { get; private set; } = [];

    /// <summary>p(z_t given the rows before) [K].</summary>
    public double[] Predicted { get; }

    /// <summary>beta [K].</summary>
    public double[] Beta { get; }

    /// <summary>The filtered state a key came with [K].</summary>
    public double[] Carried { get; }

    /// <summary>The same before a rule was taken to it [K].</summary>
    public double[] CarriedBefore { get; }

    /// <summary>startprob^beta [K] and transmat^beta [K, K] of a rule that anneals; empty without a rule.</summary>
    public double[] TemperedStart { get; private set; } = [];

    /// <inheritdoc cref="TemperedStart"/>
    public double[] TemperedTransitions { get; private set; } = [];

    /// <summary>The same with rows and columns exchanged.</summary>
    public double[] TemperedTransposed { get; private set; } = [];

    /// <summary>sum_t alpha_t-1(i) b_t(j) beta_t(j), normalised, of a sequence [K, K].</summary>
    public double[] Pairs { get; }

    /// <summary>Room for the probabilities of a row's states in their order [K]; empty without a rule.</summary>
    public double[] Sorted { get; private set; } = [];

    /// <summary>Weighted sums of log c_t of the sequences that a rule was taken to, under Bayes' rule and under it.</summary>
    public double LogScalesBefore { get; set; }

    /// <inheritdoc cref="LogScalesBefore"/>
    public double LogScalesAfter { get; set; }

    /// <summary>Initial counts and passages [K + K^2] as they were before the rows.</summary>
    public double[] OwnBefore { get; }

    /// <summary>log p(x_t given z_t) [K].</summary>
    public Span<double> LogDensitiesOf(int row) => _logLikelihoods.AsSpan(row * _states, _states);

    /// <summary>log p(x_t given z_t) [K], then b_t less its scale.</summary>
    public Span<double> LogLikelihoods(int row) => _likelihoods.AsSpan(row * _states, _states);

    /// <summary>log p(x_t given z_t) [K] of complete rows as improbable as a row with missing values; see <see cref="Pass"/>.</summary>
    public Span<double> Completed(int row) => _completed.AsSpan(row * _states, _states);

    /// <summary>p(z_t given x_1 .. x_t) [K].</summary>
    public Span<double> Alpha(int row) => _alpha.AsSpan(row * _states, _states);

    /// <summary>p(z_t given all rows of the sequence) [K].</summary>
    public Span<double> Gamma(int row) => _gamma.AsSpan(row * _states, _states);

    /// <summary>b_t before a rule left states out [K].</summary>
    public Span<double> Unmasked(int row) => _unmasked.AsSpan(row * _states, _states);

    /// <summary>The state before, on the best way into each [K].</summary>
    public Span<int> WayFrom(int row) => _ways.AsSpan(row * _states, _states);

    /// <summary>Makes room for a rule over so many rows.</summary>
    public void ReserveForRules(int rows)
    {
        if (Sorted.Length == 0)
        {
            (Sorted, TemperedStart) = (new double[_states], new double[_states]);
            (TemperedTransitions, TemperedTransposed) = (new double[_states * _states], new double[_states * _states]);
        }
        if (_ways.Length < rows * _states) (_ways, _unmasked) = (new int[rows * _states], new double[rows * _states]);
    }

    /// <summary>Makes room for so many rows.</summary>
    public void Reserve(int rows)
    {
        if (Pass.Comparable is not null && _completed.Length < rows * _states) _completed = new double[rows * _states];
        if (SaysNothing.Length >= rows) return;
        SaysNothing = new bool[rows];
        RelativeSquares = new double[rows];
        Scale = new double[rows];
        RowLogDensities = new double[rows];
        _likelihoods = new double[rows * _states];
        _logLikelihoods = new double[rows * _states];
        _alpha = new double[rows * _states];
        _gamma = new double[rows * _states];
    }
}
