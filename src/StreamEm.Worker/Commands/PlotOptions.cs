using System.CommandLine;

namespace StreamEm.Worker.Commands;

/// <summary>What <c>streamem plot</c> is given on a command line.</summary>
internal sealed class PlotOptions
{
    /// <summary>What is drawn.</summary>
    public Argument<string> File { get; } = new("snapshot")
    {
        Description = SnapshotFile.Named + " With --trace and --bound all snapshots of a log (fit --history, publish.file), with --bound "
            + "also the trace of a fit; with --graph also a configuration, or a type of model, see 'streamem models'.",
    };

    /// <summary>The records.</summary>
    public Argument<string[]> Data { get; } = new("data")
    {
        Description = "Files or globs with records; a FIFO; - for standard input; none for a model without components, whose "
            + "parameters are drawn.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public Option<string> Output { get; } = new("-o", "--output")
    {
        Description = "Where the picture goes: PNG where the name ends with .png, else SVG; - is standard output.",
        Required = true,
        HelpName = "file",
    };

    public Option<string?> X { get; } =
        new("--x") { Description = "Feature to the right; the first number by default.", HelpName = "feature" };

    public Option<string?> Y { get; } =
        new("--y") { Description = "Feature upwards; the second number by default.", HelpName = "feature" };

    public Option<string?> Log { get; } = new("--log")
    {
        Description = "Which axes of records in two features are in powers of ten: x, y or xy; values of 0 and less are left out.",
        HelpName = "axes",
    };

    public Option<bool> Profile { get; } = new("--profile")
    {
        Description = "Draws a panel per feature instead of records in two; what is drawn anyway unless all features are numbers, or --x "
            + "or --y name two of them.",
    };

    public Option<bool> Graph { get; } = new("--graph")
    { Description = "Draws the model itself in plate notation: what depends on what, and how often it is repeated; without data." };

    public Option<bool> Trace { get; } = new("--trace")
    {
        Description = "Draws how the model came to be: small pictures of some versions of a log, over the same records; without data "
            + "the values of each block.",
    };

    public Option<bool> Bound { get; } = new("--bound")
    {
        Description = "Draws how the log-likelihood, or its lower bound, was climbed, with energy, entropy and step size; without data.",
    };

    public Option<bool> Codebook { get; } = new("--codebook")
    {
        Description = "Draws the centres of the components as codes: a picture of each where features are d x d pixels, else bars; "
            + "with data also what is lost by encoding them.",
    };

    public Option<int> Rings { get; } = new("--rings")
    { Description = "How many of the strangest records to ring.", DefaultValueFactory = _ => 8, HelpName = "n" };

    public Option<string?> Title { get; } = new("--title") { Description = "Above the picture.", HelpName = "text" };

    public Option<int> Points { get; } = new("--points")
    { Description = "Draws at most so many records, evenly spaced.", DefaultValueFactory = _ => 5000, HelpName = "n" };

    public DialectArguments Dialect { get; } = new();

    /// <summary>Adds all of them.</summary>
    public void AddTo(Command command)
    {
        command.Add(File);
        command.Add(Data);
        foreach (Option option in (Option[])[Output, X, Y, Log, Profile, Graph, Trace, Bound, Codebook, Rings, Title, Points])
            command.Add(option);
        Dialect.AddTo(command);
        Log.CompletionSources.Add("x", "y", "xy");
        command.Validators.Add(result =>
        {
            string? path = result.GetValue(Output);
            if (PictureFile.WrongWith(path) is { } wrong) result.AddError(wrong);
            if (result.GetValue(Log) is { } log && log is not ("x" or "y" or "xy"))
                result.AddError($"--log '{log}' names no axes; expected x, y or xy.");
            bool hasData = result.GetValue(Data) is { Length: > 0 };
            if (result.GetValue(Graph) && hasData) result.AddError("--graph draws the model alone: it goes without data.");
            if (result.GetValue(Bound) && hasData) result.AddError("--bound draws what a fit says of itself: it goes without data.");
            Option<bool>[] kinds = [.. new[] { Profile, Graph, Trace, Bound, Codebook }.Where(kind => result.GetValue(kind))];
            if (kinds.Length > 1)
                result.AddError($"{string.Join(" and ", kinds.Select(kind => kind.Name))} are different pictures: leave all but one out.");
            if (result.GetValue(Log) is not null && kinds.Any(kind => kind != Trace))
                result.AddError($"--log is for records in two features: it goes without {kinds[0].Name}.");
        });
    }
}
