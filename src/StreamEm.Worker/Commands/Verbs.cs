using System.CommandLine;

namespace StreamEm.Worker.Commands;

/// <summary>The verbs of <c>streamem</c>, in the order its help lists them.</summary>
public static class Verbs
{
    /// <summary>The command line's root with every verb in place.</summary>
    public static RootCommand CreateRoot() =>
        new("Learns latent variable models from endless streams by stepwise expectation maximisation.")
    {
        RunCommand.Create(),
        FitCommand.Create(),
        InitCommand.Create(),
        ScoreCommand.Create(),
        InspectCommand.Create(),
        WatchCommand.Create(),
        SampleCommand.Create(),
        DiffCommand.Create(),
        SelectCommand.Create(),
        PlotCommand.Create(),
        ValidateCommand.Create(),
        TestCommand.Create(),
        SchemaCommand.Create(),
        StateCommand.Create(),
        MergeCommand.Create(),
        AuditCommand.Create(),
        ModelsCommand.Create(),
        HealthcheckCommand.Create(),
        CompletionCommand.Create(),
        VersionCommand.Create(),
    };
}
