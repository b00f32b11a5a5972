namespace StreamEm.Core.Models.Sequences;

/// <summary>One thread's memory for sequences of any length.</summary>
internal sealed class SequenceWorkspace : BlockWorkspace
{
    private readonly int _states;
    private double[] _likelihoods = [], _logLikelihoods = [], _alpha = [], _gamma = [], _completed = [];

    /// <summary>For sequences over so many features and states.</summary>
    public SequenceWorkspace(int dimension, int states)
        : base(dimension, states)
    {
        _states = states;
        (Predicted, Beta, Carried) = (new double[states], new double[states], new double[states]);
        OwnBefore = new double[states * (states + 1)];
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
