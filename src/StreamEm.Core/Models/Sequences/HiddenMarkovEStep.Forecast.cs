namespace StreamEm.Core.Models.Sequences;

/// <summary>What is to come: p(z_t+h given x_1 .. x_t) = alpha_t A^h, and the records under it.</summary>
internal sealed partial class HiddenMarkovEStep
{
    private RecordForecast? _records;
    private int _steps, _forecastAt;

    /// <summary>Has every score tell of so many steps ahead.</summary>
    /// <param name="steps">h.</param>
    /// <param name="at">Where its blocks begin in a row's scores.</param>
    /// <param name="records">What is said of the records.</param>
    public void LookAhead(int steps, int at, RecordForecast records) => (_steps, _forecastAt, _records) = (steps, at, records);

    private void SayForecast(int row, Span<double> score, SequenceWorkspace space)
    {
        if (_records is null) return;
        Span<double> states = score[_forecastAt..], records = states[(_steps * _states)..];
        int block = _steps * _dimension;
        ReadOnlySpan<double> before = space.Alpha(row);
        for (int step = 0; step < _steps; step++)
        {
            Span<double> state = states.Slice(step * _states, _states);
            Predict(before, _transitions, state);
            before = state;
            Span<double> Of(Span<double> all, int part) => all.Slice(part * block + step * _dimension, _dimension);
            _records.Say(state, Of(records, 0), Of(records, 1), Of(records, 2), Of(records, 3));
        }
    }
}
