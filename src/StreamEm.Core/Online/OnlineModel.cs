using System.Buffers;
using System.Text;
using System.Text.Json;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Settings;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Online;

/// <summary>
/// Any model of the catalogue in a program of one's own: rows in, parameters and scores out. What the worker runs, without its sources and
/// sinks: the first rows are kept until parameters can be found in them (<see cref="IsReady"/>), then every <c>MinibatchSize</c> rows make
/// one stepwise EM update, Theta(t) = (1 - gamma_t) Theta(t-1) + gamma_t argmax Q (Cappé and Moulines 2009). Missing values are NaN. Saved
/// and loaded it goes on to the same bytes as if it had never stopped. One thread at a time.
/// </summary>
public sealed class OnlineModel
{
    private static ReadOnlySpan<byte> Magic => "StreamEM online model 1\n"u8;

    private readonly OnlineModelOptions _options;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly Learner _learner;
    private readonly Minibatch _rows;
    private LearnedModel? _learned;
    private Scorer? _scorer;

    private OnlineModel(
        string type, IReadOnlyList<string> features, IReadOnlyDictionary<string, string> settings, OnlineModelOptions options)
    {
        ModelEntry entry = ModelCatalog.Find(type)
            ?? throw new ArgumentException($"There is no model '{type}'{Spelling.Suggestion(type, ModelCatalog.Types)}", nameof(type));
        foreach (string key in settings.Keys)
            if (!entry.Settings.Any(setting => setting.Key == key))
                throw new ArgumentException(
                    $"{type} has no setting '{key}'{Spelling.Suggestion(key, entry.Settings.Select(setting => setting.Key))}",
                    nameof(settings));
        if (features.Count == 0 || features.Distinct(StringComparer.Ordinal).Count() < features.Count)
            throw new ArgumentException("Features need names, at least one, no two alike.", nameof(features));
        LatentModelOptions model;
        try
        {
            model = entry.Read(settings);
        }
        catch (FormatException failure)
        {
            throw new ArgumentException(failure.Message, nameof(settings), failure);
        }
        (Type, Features, _settings, _options) = (type, [.. features], settings, options.Checked());
        var schema = new RecordSchema
        {
            Features = Features,
            Label = OnlineModelOptions.Label,
            Target = options.HasTarget ? OnlineModelOptions.Target : null,
            Key = OnlineModelOptions.Key,
            MayLackRoles = true,
        };
        _learner = new Learner(model, schema, _options.ToLearning(), threads: options.Threads);
        _rows = new Minibatch(features.Count, 1, new TextTable());
    }

    /// <summary>A mixture of Gaussians over features x0, x1, ...</summary>
    /// <param name="features">D.</param>
    /// <param name="components">K.</param>
    /// <param name="covarianceType">full, diag, tied or spherical.</param>
    /// <param name="options">How to learn; null: the defaults.</param>
    /// <exception cref="ArgumentException">A number is below 1, or an option cannot be.</exception>
    public static OnlineModel GaussianMixture(
        int features, int components, CovarianceType covarianceType = CovarianceType.Full, OnlineModelOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(features, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(components, 1);
        LatentModelOptions model = ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = covarianceType }, components);
        return new OnlineModel(
            model.Entry.Type, RecordSchema.OfNumbers(features).Features, model.Entry.Format(model), options ?? new OnlineModelOptions());
    }

    /// <summary>Any model of the catalogue.</summary>
    /// <param name="type">Its name, as <c>streamem models</c> lists it: <c>student_t_mixture</c>.</param>
    /// <param name="features">The names of the features.</param>
    /// <param name="settings">Its settings by their names, as a configuration has them: <c>components: 5</c>; null: the defaults.</param>
    /// <param name="options">How to learn; null: the defaults.</param>
    /// <exception cref="ArgumentException">There is no such model or setting, or a value does not fit.</exception>
    public static OnlineModel Create(
        string type, IReadOnlyList<string> features, IReadOnlyDictionary<string, string>? settings = null,
        OnlineModelOptions? options = null) =>
        new(type, features, settings ?? new Dictionary<string, string>(StringComparer.Ordinal), options ?? new OnlineModelOptions());

    /// <summary>The model's name in the catalogue.</summary>
    public string Type { get; }

    /// <summary>The names of the D features.</summary>
    public IReadOnlyList<string> Features { get; }

    /// <summary>Whether there are parameters: from the first update on.</summary>
    public bool IsReady => _learner.Updates > 0;

    /// <summary>Updates made.</summary>
    public long Updates => _learner.Updates;

    /// <summary>Rows learned from; those that wait are not among them.</summary>
    public long Records => _learner.Records;

    /// <summary>Rows that wait for the initialisation, or for the minibatch to be full.</summary>
    public int Pending => _learner.Pending;

    /// <summary>Mean log-likelihood of the last minibatch under the parameters before it, in nats, of standardised features.</summary>
    public double MeanLogLikelihood => _learner.MeanLogLikelihood;

    /// <summary>Names of the parameter blocks: <c>weights</c>, <c>means</c>, ...</summary>
    /// <exception cref="InvalidOperationException">There are none yet.</exception>
    public IReadOnlyList<string> Parameters => [.. Learned().Layout.Blocks.Select(block => block.Name)];

    /// <summary>Mixing proportions, K.</summary>
    /// <exception cref="InvalidOperationException">There are none yet, or the model has no such block.</exception>
    public double[] Weights => Parameter("weights");

    /// <summary>Means of the components, K x D, row by row, in the units of the rows.</summary>
    /// <exception cref="InvalidOperationException">There are none yet, or the model has no such block.</exception>
    public double[] Means => Parameter("means");

    /// <summary>A copy of a parameter block, row by row, in the units of the rows.</summary>
    /// <exception cref="InvalidOperationException">There are no parameters yet, or no such block.</exception>
    public double[] Parameter(string name)
    {
        LearnedModel learned = Learned();
        return learned.Layout.Contains(name)
            ? learned.Layout[name].Of(learned.Parameters.AsSpan()).ToArray()
            : throw new InvalidOperationException(
                $"{Type} has no parameters '{name}'; it has {string.Join(", ", learned.Layout.Blocks.Select(block => block.Name))}.");
    }

    /// <summary>The shape of a parameter block: <c>means</c> are K x D.</summary>
    /// <exception cref="InvalidOperationException">There are no parameters yet, or no such block.</exception>
    public IReadOnlyList<int> ShapeOf(string name) => Parameter(name) is not null ? Learned().Layout[name].Shape : [];

    /// <summary>Learns from rows.</summary>
    /// <param name="rows">N x D, row by row; NaN is a missing value.</param>
    /// <exception cref="ArgumentException">The length is no multiple of D.</exception>
    public void Learn(ReadOnlySpan<double> rows)
    {
        if (rows.Length % Features.Count != 0)
            throw new ArgumentException(
                $"{rows.Length} values are no whole number of rows of {Features.Count} features.", nameof(rows));
        for (int at = 0; at < rows.Length; at += Features.Count) Learn(rows.Slice(at, Features.Count), new RowRole());
    }

    /// <summary>Learns from rows.</summary>
    /// <exception cref="ArgumentException">A row has not D values.</exception>
    public void Learn(IEnumerable<double[]> rows)
    {
        foreach (double[] row in rows) Learn(row, new RowRole());
    }

    /// <summary>Learns from one row and what else is known of it.</summary>
    /// <param name="row">D values; NaN is missing.</param>
    /// <param name="role">Weight, label, key and target.</param>
    /// <exception cref="ArgumentException">The row has not D values.</exception>
    public void Learn(ReadOnlySpan<double> row, RowRole role)
    {
        Put(row, role);
        _learner.Add(_rows, 0, 1);
        while (_learner.TryUpdate()) { }
    }

    /// <summary>Makes an update of the rows that wait, fewer than a minibatch; before the first update only where they are enough to start
    /// from.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Flush() => _learner.TryUpdate(flush: true);

    /// <summary>Scores a row under the newest parameters; learns nothing.</summary>
    /// <param name="row">D values; NaN is missing.</param>
    /// <param name="role">For models that read more than features: key and target.</param>
    /// <exception cref="InvalidOperationException">There are no parameters yet.</exception>
    /// <exception cref="ArgumentException">The row has not D values.</exception>
    public RowScore Score(ReadOnlySpan<double> row, RowRole role = default)
    {
        LearnedModel learned = Learned();
        if (_scorer?.Learned != learned) _scorer = new Scorer(learned, _scorer);
        Put(row, role);
        double density = 0, anomaly = 0, pValue = 0;
        double[] outputs = new double[_scorer.Layout.Length];
        _scorer.Score(_rows, new Span<double>(ref density), outputs, new Span<double>(ref anomaly), new Span<double>(ref pValue));
        return new RowScore(_scorer.Layout, outputs)
        { LogDensity = density, AnomalyScore = anomaly, PValue = pValue, ComponentIds = learned.ComponentIds };
    }

    /// <summary>The newest parameters as the snapshot that <c>streamem score</c>, <c>inspect</c> and <c>plot</c> read.</summary>
    /// <param name="output">Gets the JSON.</param>
    /// <param name="id">The model's id in it.</param>
    /// <param name="time">Tells when it was made; null: the system's clock.</param>
    /// <exception cref="InvalidOperationException">There are no parameters yet.</exception>
    public void SaveSnapshot(Stream output, string id = "model", TimeProvider? time = null)
    {
        var json = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(new ModelSnapshot(Learned(), new SnapshotOrigin(id, "", "", (time ?? TimeProvider.System).GetUtcNow())), json);
        output.Write(json.WrittenSpan);
    }

    /// <summary>Writes all of it: parameters, statistics, calibration and the rows that wait.</summary>
    public void Save(Stream output)
    {
        using var state = new MemoryStream();
        using (var writer = new BinaryWriter(state, Encoding.UTF8, leaveOpen: true)) _learner.Save(writer);
        output.Write(Magic);
        byte[] made = JsonSerializer.SerializeToUtf8Bytes(new Made(Type, [.. Features], new(_settings), _options));
        using var framed = new BinaryWriter(output, Encoding.UTF8, leaveOpen: true);
        framed.Write(made.Length);
        framed.Write(made);
        framed.Write(state.GetBuffer().AsSpan(0, (int)state.Length));
    }

    /// <summary>Reads what <see cref="Save"/> wrote, to the stream's end; goes on to the same bytes.</summary>
    /// <exception cref="InvalidDataException">It is something else, or damaged.</exception>
    public static OnlineModel Load(Stream input)
    {
        using var all = new MemoryStream();
        input.CopyTo(all);
        ReadOnlySpan<byte> bytes = all.GetBuffer().AsSpan(0, (int)all.Length);
        if (!bytes.StartsWith(Magic) || bytes.Length < Magic.Length + sizeof(int))
            throw new InvalidDataException("This is no model that OnlineModel.Save wrote.");
        int length = BitConverter.ToInt32(bytes[Magic.Length..]), start = Magic.Length + sizeof(int);
        if (length < 0 || length > bytes.Length - start) throw new InvalidDataException("The model is damaged: it is cut off.");
        try
        {
            Made made = JsonSerializer.Deserialize<Made>(bytes.Slice(start, length)) ?? throw new JsonException("There is nothing.");
            var model = new OnlineModel(made.Type, made.Features, made.Settings, made.Options);
            using var state = new MemoryStream(bytes[(start + length)..].ToArray());
            using var reader = new BinaryReader(state);
            model._learner.Load(reader);
            return model;
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException or NullReferenceException)
        {
            throw new InvalidDataException($"The model is damaged: {failure.Message}", failure);
        }
    }

    private LearnedModel Learned()
    {
        if (_learned?.Version != _learner.Updates) _learned = _learner.CreateSnapshot();
        return _learned ?? throw new InvalidOperationException(
            $"There are no parameters yet: {Pending} rows wait. Learn from more, or call Flush.");
    }

    private void Put(ReadOnlySpan<double> row, RowRole role)
    {
        if (row.Length != Features.Count)
            throw new ArgumentException($"The row has {row.Length} values; expected {Features.Count}.", nameof(row));
        _rows.Clear();
        row.CopyTo(_rows.NextRow);
        TextTable texts = _rows.Texts!;
        _rows.Commit(
            role.Weight ?? 1, role.Label is { } label ? texts.Number(label) : Minibatch.Unlabelled, role.Target ?? double.NaN,
            role.Key is { } key ? texts.Number(key) : Minibatch.NoKey);
    }

    /// <summary>What a model was made of.</summary>
    private sealed record Made(string Type, string[] Features, Dictionary<string, string> Settings, OnlineModelOptions Options);
}
