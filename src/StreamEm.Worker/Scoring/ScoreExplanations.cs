using System.Text.Json;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// <c>explanation</c> of a scored record: of every feature its contribution, what was expected given the others, and the interval that 95 %
/// of such values lie in.
/// </summary>
internal sealed class ScoreExplanations(LearnedModel learned)
{
    private const int OtherBytes = 80, Numbers = 4;

    private readonly byte[][] _names = [.. learned.Features.Select(name => JsonSerializer.SerializeToUtf8Bytes(name))];
    private Explainer? _explainer;

    /// <summary>Bytes it takes at most.</summary>
    public int Bound => OtherBytes + _names.Sum(name => name.Length + OtherBytes + Numbers * JsonText.NumberBytes);

    /// <summary>Writes it.</summary>
    public void Write(ref JsonText json, in ScoredRecord score)
    {
        if (score.Rows is not { } rows) return;
        _explainer ??= new Explainer(learned);
        json.Raw(",\"explanation\":{"u8);
        ReadOnlySpan<FeatureExplanation> features = _explainer.Explain(rows, score.Row);
        for (int d = 0; d < features.Length; d++)
        {
            FeatureExplanation feature = features[d];
            double off = FeatureExplanation.Reach * feature.Deviation;
            if (d > 0) json.Raw(","u8);
            json.Raw(_names[d]);
            json.Raw(":{\"contribution\":"u8);
            json.Number(feature.Contribution);
            json.Raw(",\"expected\":"u8);
            json.Number(feature.Expected);
            json.Raw(",\"interval\":["u8);
            json.Number(feature.Expected - off);
            json.Raw(","u8);
            json.Number(feature.Expected + off);
            json.Raw("]}"u8);
        }

        json.Raw("}"u8);
    }
}
