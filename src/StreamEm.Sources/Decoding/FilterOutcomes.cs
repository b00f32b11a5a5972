using System.Numerics;
using System.Text;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Whether the record being decoded is one the model is about (<see cref="RecordFilter"/>): the texts of its fields are compared as they
/// come, each comparison a bit, and the bits joined at the record's end. A field that does not come is missing. What is compared with a
/// number is read as one, what is compared with a text is the text as it is written without blanks round it, in the order of its bytes;
/// true and false, in whatever case and on either side, are the words <c>true</c> and <c>false</c>.
/// </summary>
internal sealed class FilterOutcomes
{
    private readonly FieldSpelling _spelling;
    private readonly Test[] _tests;
    private readonly FilterStep[] _steps;
    private readonly ulong[] _testsOf;

    /// <summary>The outcomes for a record without any of the fields.</summary>
    private readonly ulong _ofNothing;

    private ulong _outcomes;

    public FilterOutcomes(RecordFilter filter, FieldSpelling spelling)
    {
        _spelling = spelling;
        _tests = [.. filter.Tests.Select(test => new Test(test))];
        _steps = [.. filter.Steps];
        _testsOf = new ulong[filter.Fields.Count];
        for (int test = 0; test < _tests.Length; test++)
        {
            for (int field = 0; field < _testsOf.Length; field++)
                if (filter.Fields[field] == filter.Tests[test].Field) _testsOf[field] |= 1UL << test;
        }
        for (int field = 0; field < _testsOf.Length; field++) Take(field, default);
        _ofNothing = _outcomes;
    }

    /// <summary>Starts a record.</summary>
    public void Begin() => _outcomes = _ofNothing;

    /// <summary>Compares the text of a field.</summary>
    public void Take(int field, ReadOnlySpan<byte> text)
    {
        text = Spelled(Numbers.Trim(text));
        bool isMissing = _spelling.IsMissing(text);
        double number = double.NaN;
        bool isRead = false;
        for (ulong left = _testsOf[field]; left != 0; left &= left - 1)
        {
            int test = BitOperations.TrailingZeroCount(left);
            if (_tests[test].NeedsNumber && !isRead)
            {
                isRead = true;
                if (isMissing || _spelling.Number(text, out number) != NumberOutcome.Finite) number = double.NaN;
            }
            ulong bit = 1UL << test;
            _outcomes = _tests[test].Holds(text, isMissing, number) ? _outcomes | bit : _outcomes & ~bit;
        }
    }

    /// <summary>Whether the model is about the record.</summary>
    public bool Pass
    {
        get
        {
            // A stack of bits, the uppermost lowest: a filter has no more tests than that holds.
            ulong stack = 0;
            int test = 0;
            foreach (FilterStep step in _steps)
            {
                ulong top = stack & 1, under = (stack >> 1) & 1;
                stack = step switch
                {
                    FilterStep.Test => (stack << 1) | ((_outcomes >> test++) & 1),
                    FilterStep.Not => stack ^ 1,
                    FilterStep.And => (stack >> 2 << 1) | (top & under),
                    _ => (stack >> 2 << 1) | top | under,
                };
            }
            return (stack & 1) != 0;
        }
    }

    /// <summary>CSV is written with TRUE and True where JSON has true: they compare alike.</summary>
    private static ReadOnlySpan<byte> Spelled(ReadOnlySpan<byte> text) => FeatureValues.Word(text) switch
    {
        1 => "true"u8,
        0 => "false"u8,
        _ => text,
    };

    /// <summary>One comparison, its texts as bytes.</summary>
    private sealed class Test(FilterTest test)
    {
        private readonly FilterOperator _operator = test.Operator;
        private readonly FilterValue[] _values = [.. test.Values];
        private readonly byte[][] _texts = [.. test.Values.Select(value => Spelled(Encoding.UTF8.GetBytes(value.Text)).ToArray())];

        /// <summary>Whether a value is a number.</summary>
        public bool NeedsNumber { get; } = test.Values.Any(value => value.Kind == FilterValueKind.Number);

        public bool Holds(ReadOnlySpan<byte> text, bool isMissing, double number)
        {
            if (_operator is FilterOperator.Equal or FilterOperator.NotEqual)
            {
                bool isEqual = false;
                for (int i = 0; i < _values.Length && !isEqual; i++) isEqual = Equals(i, text, isMissing, number);
                return isEqual == (_operator == FilterOperator.Equal);
            }
            int order;
            if (_values[0].Kind == FilterValueKind.Number)
            {
                if (double.IsNaN(number)) return false;
                order = number.CompareTo(_values[0].Number);
            }
            else
            {
                if (isMissing) return false;
                order = text.SequenceCompareTo(_texts[0]);
            }
            return _operator switch
            {
                FilterOperator.Less => order < 0,
                FilterOperator.LessOrEqual => order <= 0,
                FilterOperator.Greater => order > 0,
                _ => order >= 0,
            };
        }

        private bool Equals(int value, ReadOnlySpan<byte> text, bool isMissing, double number) => _values[value].Kind switch
        {
            FilterValueKind.Missing => isMissing,
            FilterValueKind.Truth => FeatureValues.Word(text) == _values[value].Number,
            FilterValueKind.Number => number == _values[value].Number,
            _ => text.SequenceEqual(_texts[value]),
        };
    }
}
