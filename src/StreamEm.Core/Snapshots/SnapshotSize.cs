using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// The most bytes that <see cref="SnapshotJson"/> writes for a model, known before any data: from the layout of its parameters and the
/// names.
/// </summary>
public static class SnapshotSize
{
    /// <summary>The longest a double gets, with its comma: <c>-2.2250738585072014E-308,</c>.</summary>
    private const int NumberBytes = 25;

    /// <summary>Keys, punctuation, identity, ancestry, training and calibration's own numbers, and the events that are kept.</summary>
    private const int FixedBytes = 4608 + 32 * 128;

    /// <summary>Per parameter block: key, brackets, words.</summary>
    private const int BlockBytes = 40;

    /// <summary>Per component: its id twice, a status, and what is round them.</summary>
    private const int ComponentBytes = 80;

    /// <summary>Quantiles, knots and scores of a calibration of many ties.</summary>
    private const int CalibrationNumbers = 512;

    /// <summary>
    /// The bound of what the model and the names decide. What the data bring - labels, warnings, the names of partitions, sets of
    /// missing features - comes on top.
    /// </summary>
    /// <param name="modelId">The model's id.</param>
    /// <param name="options">The model.</param>
    /// <param name="schema">The features.</param>
    /// <param name="isAveraged">Whether the average of the parameters stands beside them.</param>
    /// <param name="hasIntervals">Whether their intervals do, four numbers each.</param>
    public static long Bound(
        string modelId, LatentModelOptions options, RecordSchema schema, bool isAveraged = false, bool hasIntervals = false)
    {
        int copies = 1 + (isAveraged ? 1 : 0) + (hasIntervals ? 4 : 0);
        LatentModel model = options.CreateLargest(schema);
        IReadOnlyList<string> features = schema.Columns;
        long bytes = FixedBytes + TextBytes(modelId) + options.Settings.Sum(setting => TextBytes(setting.Key) + TextBytes(setting.Value));
        bytes += features.Sum(TextBytes) + schema.Derived.Sum(derived => TextBytes(DerivedFeatureJson.TextOf(derived)));
        bytes += (long)NumberBytes * ((long)copies * model.ParameterLayout.Length + 2L * features.Count + CalibrationNumbers);
        bytes += (long)ComponentBytes * ((model as ComponentModel)?.Components ?? 0);
        foreach (VectorBlock block in model.ParameterLayout.Blocks)
            bytes += copies * (BlockBytes + TextBytes(block.Name) + block.Shape
                .Sum(extent => 1 + extent.ToString(CultureInfo.InvariantCulture).Length));
        return bytes;
    }

    /// <summary>A text with its quotes and separator.</summary>
    private static long TextBytes(string text) => JsonEncodedText.Encode(text).EncodedUtf8Bytes.Length + 4;
}
