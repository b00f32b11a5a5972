using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>What happens to components is told, with their ids, and kept.</summary>
public sealed class ComponentEventsTests
{
    private static readonly LearningOptions Options = new() { MinibatchSize = 100, Initialization = new() { Buffer = 600, NInit = 1 } };

    [Fact]
    public void Events_OfAChangeOfTheNumberOfComponents_AreBirthsAndDeaths()
    {
        Learner learner = Streams.Learn(Gaussians.Mixture(3), Options, Gaussians.Three.Draw(1000, 1));
        Assert.Empty(Streams.Snapshot(learner).Events);

        Learner more = learner.ChangeModel(Gaussians.Mixture(5), RecordSchema.OfNumbers(2), Options);
        Streams.Feed(more, Gaussians.Three.Draw(100, 2), 0, 100);
        LearnedModel five = Streams.Snapshot(more);
        Assert.Equal(["c0", "c1", "c2", "c3", "c4"], five.ComponentIds);
        Assert.Equal(
            [(ComponentEventKind.Born, "c3", 11), (ComponentEventKind.Born, "c4", 11)],
            five.Events.Select(item => (item.Kind, item.Component!, item.Version)));

        Learner fewer = more.ChangeModel(Gaussians.Mixture(4), RecordSchema.OfNumbers(2), Options);
        Streams.Feed(fewer, Gaussians.Three.Draw(100, 3), 0, 100);
        LearnedModel four = Streams.Snapshot(fewer);
        ComponentEvent died = four.Events[^1];
        Assert.Equal((ComponentEventKind.Died, 12), (died.Kind, died.Version));
        Assert.Equal([died.Component!], five.ComponentIds.Except(four.ComponentIds));
        Assert.Equal(3, four.Events.Count);
    }

    [Fact]
    public void Events_OfAComponentGivenANewStart_NameIt()
    {
        // Two components on one cloud and one far away from any record: after 50 updates it begins anew.
        var from = new InitialParameters(new Dictionary<string, double[]>(StringComparer.Ordinal)
        {
            ["weights"] = [0.5, 0.499, 0.001],
            ["means"] = [0, 0, 4, 0, 400, 400],
            ["covariances"] = [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1],
        });
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2),
            Options with { Learn = LearnMode.Always, Standardize = false }, from);
        Streams.Feed(learner, Gaussians.Three.Draw(12_000, 4), 0, 12_000);
        LearnedModel learned = Streams.Snapshot(learner);
        ComponentEvent reseeded = Assert.Single(learned.Events, item => item.Kind == ComponentEventKind.Reseeded);
        Assert.Equal("c2", reseeded.Component);
        Assert.InRange(reseeded.Version, 50, 120);

        var resumed = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2),
            Options with { Learn = LearnMode.Always, Standardize = false }, from);
        resumed.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
        Assert.Equal(learned.Events, Streams.Snapshot(resumed).Events);
    }

    /// <summary>One that is to stay where it is has died all the same: once, for as long as it has no weight.</summary>
    [Fact]
    public void Events_OfADeadComponentThatIsKept_SayThatItDied()
    {
        var from = new InitialParameters(new Dictionary<string, double[]>(StringComparer.Ordinal)
        {
            ["weights"] = [0.5, 0.499, 0.001],
            ["means"] = [0, 0, 4, 0, 400, 400],
            ["covariances"] = [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1],
        });
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2),
            Options with { Learn = LearnMode.Always, Standardize = false, DeadComponents = DeadComponents.Keep }, from);
        Streams.Feed(learner, Gaussians.Three.Draw(12_000, 4), 0, 12_000);
        LearnedModel learned = Streams.Snapshot(learner);
        ComponentEvent died = Assert.Single(learned.Events);
        Assert.Equal((ComponentEventKind.Died, "c2", 120L), (died.Kind, died.Component, died.Until));
        Assert.InRange(died.Version, 50, 110);
        Assert.Equal(died.Until - died.Version + 1, died.Count);
    }

    [Fact]
    public void Add_TheSameWithinFiftyUpdates_IsOneEvent()
    {
        var events = new ComponentEvents();
        foreach (long update in (long[])[7, 8, 8, 30, 100]) events.Add(ComponentEventKind.Floored, "c1", update);
        events.Add(ComponentEventKind.Floored, null, 101);
        Assert.Equal(
            [
                new ComponentEvent(ComponentEventKind.Floored, "c1", 7, 30, 3),
                new ComponentEvent(ComponentEventKind.Floored, "c1", 100, 100, 1),
                new ComponentEvent(ComponentEventKind.Floored, null, 101, 101, 1),
            ],
            events.All);
    }

    [Fact]
    public void Add_MoreThanAreKept_LosesTheOldest()
    {
        var events = new ComponentEvents();
        for (int update = 1; update <= 40; update++) events.Add(ComponentEventKind.Born, $"c{update}", update);
        Assert.Equal(32, events.All.Count);
        Assert.Equal(("c9", "c40"), (events.All[0].Component, events.All[^1].Component));
    }

    [Fact]
    public void Events_OfModelEvents_AreThoseOfComponents()
    {
        var met = new ModelEvents();
        met.Add(ModelEventKind.CovarianceFloored, 1, 1e-9);
        met.Add(ModelEventKind.NoEvidence, 0, 0.1);
        met.Add(ModelEventKind.CovarianceFloored, -1, 1e-9);
        var events = new ComponentEvents();
        events.Take(met, ["a", "b"], 3);
        Assert.Equal([(ComponentEventKind.Floored, "b"), (ComponentEventKind.Floored, null)],
            events.All.Select(item => (item.Kind, item.Component)));
    }
}
