using System.CommandLine;
using StreamEm.Worker.Commands;

RootCommand root = new("Learns latent variable models from endless streams by stepwise expectation maximisation.")
{
    RunCommand.Create(),
    FitCommand.Create(),
    ScoreCommand.Create(),
    InspectCommand.Create(),
    PlotCommand.Create(),
    ValidateCommand.Create(),
    ModelsCommand.Create(),
    HealthcheckCommand.Create(),
    VersionCommand.Create(),
};
return await Cli.RunAsync(root, args, Console.Out, Console.Error).ConfigureAwait(false);
