using System.Globalization;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>Takes a state to another number of components, one at a time.</summary>
internal sealed class ModelChange
{
    private LatentModel _model;
    private StepwiseState _state;

    /// <summary>Begins with a state as it is.</summary>
    public ModelChange(LatentModel model, StepwiseState state, ComponentNumbers ids)
    {
        (_model, _state, Ids) = (model, state, ids);
        Sources = [.. Enumerable.Range(0, ids.Count).Select(k => new[] { k })];
    }

    /// <summary>Who the components are now.</summary>
    public ComponentNumbers Ids { get; private set; }

    /// <summary>For every component, those it comes from.</summary>
    public int[][] Sources { get; private set; }

    /// <summary>Whether there are others than before.</summary>
    public bool HasComponentsChanged { get; private set; }

    /// <summary>Splits or merges until there are as many as asked for.</summary>
    /// <param name="components">How many.</param>
    /// <param name="before">The options of the model there is.</param>
    /// <param name="after">Those of the model there shall be.</param>
    /// <param name="space">The features.</param>
    public void GoTo(int components, LatentModelOptions before, LatentModelOptions after, FeatureSpace space)
    {
        for (int k = Ids.Count; k != components; k = Ids.Count)
        {
            int next = k < components ? k + 1 : k - 1;
            Step((ComponentModel)_model, (ComponentModel)With(next, components, before, after).Create(space));
        }
    }

    /// <summary>The state for the model there shall be.</summary>
    /// <exception cref="ArgumentException">That model is of another shape.</exception>
    public StepwiseState StateFor(LatentModel target)
    {
        if (!HasComponentsChanged && ReferenceEquals(target, _model)) return _state;
        try
        {
            StepwiseState result = StepwiseState.Of(target, _state.Parameters, _state.Statistics, _state.Shares);
            result.TakeCounts(_state);
            return result;
        }
        catch (InvalidDataException failure)
        {
            throw new ArgumentException($"The model cannot take over what was learned: {failure.Message}", nameof(target), failure);
        }
    }

    private void Step(ComponentModel model, ComponentModel next)
    {
        if (next.Components > model.Components)
        {
            _state = ComponentChange.Split(model, next, _state, out int widest);
            Ids = Ids.Add();
            Sources = [.. Sources, Sources[widest]];
        }
        else
        {
            _state = ComponentChange.Merge(model, next, _state, out int kept, out int gone);
            Ids = Ids.Remove(gone);
            int[] both = [.. Sources[kept], .. Sources[gone].Except(Sources[kept])];
            Sources = [.. Sources.Select((from, k) => k == kept ? both : from).Where((_, k) => k != gone)];
        }
        _model = next;
        HasComponentsChanged = true;
    }

    /// <summary>The options of the model there shall be with another number of components: of the setting that says that number.</summary>
    private LatentModelOptions With(int components, int target, LatentModelOptions before, LatentModelOptions after)
    {
        if (components == target) return after;
        IReadOnlyDictionary<string, string> old = before.Settings, settings = after.Settings;
        string wanted = target.ToString(CultureInfo.InvariantCulture);
        string key = settings.Keys.First(name => settings[name] == wanted && old.GetValueOrDefault(name) != wanted);
        var stepped = new Dictionary<string, string>(settings, StringComparer.Ordinal)
        {
            [key] = components.ToString(CultureInfo.InvariantCulture),
        };
        return after.Entry.Read(stepped);
    }
}
