using StreamEm.Worker.Commands;

return await Cli.RunAsync(Verbs.CreateRoot(), args, Console.Out, Console.Error).ConfigureAwait(false);
