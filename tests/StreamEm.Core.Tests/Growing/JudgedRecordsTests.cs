using StreamEm.Core.Data;
using StreamEm.Core.Growing;
using StreamEm.Core.Models;

namespace StreamEm.Core.Tests.Growing;

/// <summary>What a mixture that grows makes of a person's word: one cloud at 0 in two features, and records elsewhere.</summary>
public sealed class JudgedRecordsTests
{
    private static readonly double[] Far = [60, -60], Near = [9, 0];

    [Fact]
    public void Normal_OfAPlaceNeverSeen_LetsTheLikeOfItPassAtOnce()
    {
        GrowingMixture mixture = Calm(3000);
        Assert.True(mixture.Copy().Step(Far).PValue < 1e-6);

        Assert.Equal(1, mixture.Judge(Far, isNormal: true));

        GrowingScore next = mixture.Step(Far);
        Assert.True(next.PValue > 1e-3, $"{next.PValue}");
        Assert.False(next.IsStrange);
    }

    [Fact]
    public void Normal_OfOneOfMany_ConfirmsAllThatHangsTogetherWithIt_AndNothingElse()
    {
        GrowingMixture mixture = Calm(3000);
        for (int at = 0; at < 40; at++) mixture.Step([60 + 0.05 * at, -60]);
        for (int at = 0; at < 3; at++) mixture.Step([-90, 40]);

        Assert.True(mixture.Judge([60, -60], isNormal: true) >= 1);

        Assert.False(mixture.Step([61.9, -60]).IsStrange);
        Assert.True(mixture.Step([-90, 40]).IsStrange);
    }

    [Fact]
    public void Abnormal_OfAPlaceThatWasLearned_IsStrangeFromThenOn_HoweverLongItLasts()
    {
        GrowingMixture mixture = Calm(3000), silent = Calm(3000);
        foreach (GrowingMixture each in (GrowingMixture[])[mixture, silent])
            for (int at = 0; at < 30; at++) each.Step(Place(Near, at));

        Assert.True(mixture.Judge(Near, isNormal: false) >= 1);

        double judged = 0, usual = 0;
        for (int at = 0; at < 2000; at++)
        {
            GrowingScore score = mixture.Step(Place(Near, at));
            judged = Math.Max(judged, score.PValue);
            Assert.True(score.IsStrange, $"record {at}");
            usual = silent.Step(Place(Near, at)).PValue;
        }
        Assert.True(judged < 0.01, $"{judged}");
        Assert.True(usual > 0.1, $"{usual}");
    }

    [Fact]
    public void Abnormal_OfARecordNotLearnedYet_HoldsThePlace()
    {
        GrowingMixture mixture = Calm(3000);
        Assert.Equal(1, mixture.Judge(Near, isNormal: false));
        Assert.True(mixture.Step(Near).IsStrange);
    }

    [Fact]
    public void Abnormal_OfWhereMostOfTheStreamIs_ChangesNothing()
    {
        GrowingMixture mixture = Calm(3000);
        byte[] before = State(mixture);
        Assert.Equal(0, mixture.Judge([0, 0], isNormal: false));
        Assert.Equal(before, State(mixture));
    }

    [Fact]
    public void Normal_AfterAbnormal_TakesItBack()
    {
        GrowingMixture mixture = Calm(3000);
        mixture.Judge(Far, isNormal: false);
        Assert.True(mixture.Judge(Far, isNormal: true) >= 1);
        Assert.False(mixture.Step(Far).IsStrange);
    }

    [Fact]
    public void Condemned_IsNotReleased_NorMixedWithAnythingElse()
    {
        GrowingMixture mixture = Calm(3000);
        mixture.Judge(Far, isNormal: false);
        int condemned = mixture.Components.Numbers[mixture.Components.Count - 1];
        // Another fault, of more than half of the stream, is normal in the end.
        for (int at = 0; at < 2000; at++) mixture.Step(Place([-90, 40], at));
        // More strange places than there is room for.
        for (int at = 0; at < 40; at++) mixture.Step([1000 + 100 * at, -1000 * at]);

        int place = mixture.Components.Numbers.AsSpan(0, mixture.Components.Count).IndexOf(condemned);
        Assert.True(place >= 0 && mixture.Components.IsQuarantined[place]);
        Assert.Equal(Far, Inside(mixture, place), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.False(mixture.Step([-90, 40]).IsStrange);
        Assert.True(mixture.Step(Far).IsStrange);
    }

    [Fact]
    public void Words_OfManyPlaces_LeaveNoMoreComponentsThanThereMayBe_AndAStateThatGoesOn()
    {
        GrowingMixture mixture = Calm(3000);
        for (int at = 0; at < 60; at++) mixture.Judge([40 + 20 * at, -30 * at], isNormal: at % 2 == 0);
        Assert.InRange(mixture.Components.Count, 2, 8 + 2 + 2);

        GrowingMixture read = Create();
        read.Load(new BinaryReader(new MemoryStream(State(mixture))));
        foreach (GrowingMixture each in (GrowingMixture[])[mixture, read])
            for (int at = 0; at < 500; at++) each.Step([40 + 20 * (at % 60), at % 7]);
        Assert.Equal(State(mixture), State(read));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Weight_OfAWord_LeavesTheCovarianceWhatItWas(bool isDiagonal, bool isIsotropic)
    {
        GrowingMixture mixture = Calm(3000, new GrowthOptions { Max = 8, IsDiagonal = isDiagonal, IsIsotropic = isIsotropic });
        for (int at = 0; at < 5; at++) mixture.Step([60 + 0.1 * at, -60 + 0.3 * at]);
        int k = Enumerable.Range(0, mixture.Components.Count).First(at => mixture.Components.IsQuarantined[at]);
        double[] before = mixture.Components.Covariance(k).ToArray();

        mixture.Judge([60.2, -59.4], isNormal: true);

        Assert.Equal(30, mixture.Components.Weights[k], 5.0);
        for (int at = 0; at < 4; at++) Assert.Equal(before[at], mixture.Components.Covariance(k)[at], 1e-12);
    }

    private static double[] Place(double[] centre, int at) => [centre[0] + 0.1 * (at % 5), centre[1] + 0.1 * (at % 7)];

    private static double[] Inside(GrowingMixture mixture, int k) =>
        [.. mixture.Components.Mean(k).ToArray().Select((mean, d) => mean * mixture.Scale.Scale[d] + mixture.Scale.Location[d])];

    private static byte[] State(GrowingMixture mixture)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) mixture.Save(writer);
        return stream.ToArray();
    }

    private static GrowingMixture Create(GrowthOptions? growth = null) =>
        new(2, growth ?? new GrowthOptions { Max = 8 }, new GrowthGuard { Quarantines = true });

    private static GrowingMixture Calm(int count, GrowthOptions? growth = null)
    {
        GrowingMixture mixture = Create(growth);
        var random = new Random(3);
        double Next() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var first = new Minibatch(2, GrowingMixture.FirstRows);
        for (int row = 0; row < GrowingMixture.FirstRows; row++) first.Add([Next(), Next()]);
        mixture.Start(first);
        for (int row = 0; row < first.Count; row++) mixture.Step(first.Row(row));
        for (int row = first.Count; row < count; row++) mixture.Step([Next(), Next()]);
        return mixture;
    }
}
