using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.StateSpaces;

/// <summary>One thread's memory for sequences of any length, with a state of d dimensions and D features.</summary>
/// <param name="states">d.</param>
/// <param name="dimension">D.</param>
internal sealed class StateSpaceWorkspace(int states, int dimension) : Workspace
{
    private readonly int _square = states * states;
    private double[] _means = [], _covariances = [], _pulls = [], _weights = [], _gains = [];

    /// <summary>The state as it stands: predicted, then filtered [d].</summary>
    public double[] Mean { get; } = new double[states];

    /// <summary>Its covariance [d, d].</summary>
    public double[] Covariance { get; } = new double[states * states];

    /// <summary>Where the key stood before its first row here: its mean [d].</summary>
    public double[] CarriedMean { get; } = new double[states];

    /// <summary>The covariance there [d, d].</summary>
    public double[] CarriedCovariance { get; } = new double[states * states];

    /// <summary>What later rows say of the state: r [d].</summary>
    public double[] Pull { get; } = new double[states];

    /// <summary>N [d, d].</summary>
    public double[] Weight { get; } = new double[states * states];

    /// <summary>The smoothed mean of the row [d].</summary>
    public double[] Smoothed { get; } = new double[states];

    /// <summary>The smoothed mean of the row after it [d].</summary>
    public double[] Next { get; } = new double[states];

    /// <summary>Cov[z_t] given all rows of the sequence [d, d].</summary>
    public double[] SmoothedCovariance { get; } = new double[states * states];

    /// <summary>E[z_t z_t'] given all rows of the sequence [d, d].</summary>
    public double[] Moments { get; } = new double[states * states];

    /// <summary>E[z_t+1 z_t+1'] [d, d].</summary>
    public double[] NextMoments { get; } = new double[states * states];

    /// <summary>Cov[z_t+1, z_t] given all rows of the sequence [d, d].</summary>
    public double[] Cross { get; } = new double[states * states];

    /// <summary>What is known of the values of a row that has some missing.</summary>
    public ObservedPart Observed { get; } = new(states, dimension);

    /// <summary>Scratch [d, d].</summary>
    public double[] A { get; } = new double[states * states];

    /// <summary>Scratch [d, d].</summary>
    public double[] B { get; } = new double[states * states];

    /// <summary>Scratch [max(d, D), d].</summary>
    public double[] Wide { get; } = new double[Math.Max(states, dimension) * states];

    /// <summary>Scratch [D, D].</summary>
    public double[] Square { get; } = new double[dimension * dimension];

    /// <summary>A row's values, those missing as they are expected [D].</summary>
    public double[] Values { get; } = new double[dimension];

    /// <summary>Scratch [max(d, D)].</summary>
    public double[] Vector { get; } = new double[Math.Max(states, dimension)];

    /// <summary>Scratch, a packed triangle of D.</summary>
    public double[] Packed { get; } = new double[LinearAlgebra.Packed.Length(dimension)];

    /// <summary>Whether a row has a value that was learned from.</summary>
    public bool[] Says { get; private set; } = [];

    /// <summary>a_t: the predicted mean of a row's state [d].</summary>
    public Span<double> Predicted(int row) => _means.AsSpan(row * states, states);

    /// <summary>P_t: its covariance [d, d].</summary>
    public Span<double> PredictedCovariance(int row) => _covariances.AsSpan(row * _square, _square);

    /// <summary>C' F^-1 v [d]; zeros where nothing was seen.</summary>
    public Span<double> PullOf(int row) => _pulls.AsSpan(row * states, states);

    /// <summary>C' F^-1 C [d, d]; zeros where nothing was seen.</summary>
    public Span<double> WeightOf(int row) => _weights.AsSpan(row * _square, _square);

    /// <summary>L_t = A (I - K C) [d, d].</summary>
    public Span<double> Gain(int row) => _gains.AsSpan(row * _square, _square);

    /// <summary>Makes room for so many rows.</summary>
    public void Reserve(int rows)
    {
        if (Says.Length >= rows) return;
        Says = new bool[rows];
        (_means, _pulls) = (new double[rows * states], new double[rows * states]);
        (_covariances, _weights, _gains) = (new double[rows * _square], new double[rows * _square], new double[rows * _square]);
    }
}

/// <summary>The values of a row that are there: which, C and R of them, and what they say of the rest.</summary>
/// <param name="states">d.</param>
/// <param name="dimension">D.</param>
internal sealed class ObservedPart(int states, int dimension)
{
    private readonly double[] _packed = new double[Packed.Length(dimension)];

    /// <summary>How many there are, m.</summary>
    public int Count { get; private set; }

    /// <summary>Which features they are.</summary>
    public int[] Features { get; } = new int[dimension];

    /// <summary>C of them [m, d].</summary>
    public double[] Map { get; } = new double[dimension * states];

    /// <summary>R of them [m, m].</summary>
    public double[] Error { get; } = new double[dimension * dimension];

    /// <summary>F = C P C' + R, then its inverse [m, m].</summary>
    public double[] Inverse { get; } = new double[dimension * dimension];

    /// <summary>P C' [d, m].</summary>
    public double[] Spread { get; } = new double[states * dimension];

    /// <summary>K = P C' F^-1 [d, m].</summary>
    public double[] Gain { get; } = new double[states * dimension];

    /// <summary>v = x - C a [m].</summary>
    public double[] Innovation { get; } = new double[dimension];

    /// <summary>F^-1 v [m].</summary>
    public double[] Scaled { get; } = new double[dimension];

    /// <summary>Scratch [d, m].</summary>
    public double[] Wide { get; } = new double[states * dimension];

    /// <summary>Takes the values of a row that are there.</summary>
    public void Take(ReadOnlySpan<double> row, ReadOnlySpan<double> observation, ReadOnlySpan<double> error)
    {
        Count = 0;
        for (int d = 0; d < dimension; d++)
            if (!double.IsNaN(row[d])) Features[Count++] = d;
        for (int i = 0; i < Count; i++)
        {
            observation.Slice(Features[i] * states, states).CopyTo(Map.AsSpan(i * states));
            for (int j = 0; j < Count; j++) Error[i * Count + j] = error[Features[i] * dimension + Features[j]];
        }
    }

    /// <summary>log |F|.</summary>
    public double LogDeterminant { get; private set; }

    /// <summary>Inverts F.</summary>
    /// <returns>log |F|.</returns>
    /// <exception cref="ArithmeticException">It is not positive definite.</exception>
    public double Invert() => DenseMatrix.TryInvert(Inverse, Count, _packed, out double logDeterminant)
        ? LogDeterminant = logDeterminant
        : throw new ArithmeticException(
            "The covariance of a prediction is not positive definite. Increase reg_covar, or lower state_dimension.");
}
