using System.CommandLine;
using System.Diagnostics;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Cli.Study.DryRuns;
using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Pages;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using TorchSharp;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias study PLAN</c>: a matrix of trainings with several seeds, measured, compared and written up.</summary>
internal static class StudyCommand
{
    private const string DataVariable = "MASKBIAS_DATA";

    public static Command Create()
    {
        var command = new ExampleCommand("study",
            "Trains and measures a matrix of encoders with several seeds, and writes a page that compares them. Goes on where it was.",
            "study studies/clothing-dino-cpu.json --data data --output results",
            "study studies/clothing-dino.json --data data --processes 3 --time-limit 6",
            "study studies/imagenet100.json --dry-run");
        var plan = new Argument<string>("plan") { Description = "The plan, a JSON file: data, budget, cells, measures." };
        var data = new Option<string?>("--data")
        {
            Description = $"The folder that the plan's folders are in; else the one that {DataVariable} names.", HelpName = "folder",
        };
        var output = new Option<string?>("--output")
        {
            Description = "Folder for page, tables, pictures and results; else one of the plan's name in artifacts/.", HelpName = "folder",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Says what would be done: trainings, steps, memory, days." };
        var only = new Option<string[]>("--only")
        {
            Description = "Cells to do, by name; all otherwise.", AllowMultipleArgumentsPerToken = true, HelpName = "cells",
        };
        var search = new Option<bool>("--search") { Description = "Does the plan's search of settings instead of its cells." };
        var reportOnly = new Option<bool>("--report-only")
        {
            Description = "Writes the page from the results that there are; needs no images.",
        };
        var timeLimit = new Option<double?>("--time-limit")
        {
            Description = "Minutes after which work stops; trainings leave a checkpoint to go on from.", HelpName = "minutes",
        };
        var processes = new Option<int>("--processes")
        {
            Description = "Processes that share the work, and the device.", DefaultValueFactory = _ => 1,
        };
        var worker = new Option<int?>("--worker") { Hidden = true };         // one of so many, which another process has started
        var json = Session.JsonOption();
        command.Add(plan);
        foreach (Option option in new Option[] { data, output, dryRun, only, search, reportOnly, timeLimit, processes, worker, json })
            command.Add(option);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            long start = Stopwatch.GetTimestamp();
            if (parsed.GetValue(timeLimit) is <= 0)
                throw new UsageException($"--time-limit is {parsed.GetValue(timeLimit)}; it must be above 0.");
            if (parsed.GetValue(processes) is < 1 or > 64)
                throw new UsageException($"--processes is {parsed.GetValue(processes)}; it must lie in [1, 64].");
            string path = parsed.GetValue(plan)!, root = parsed.GetValue(data) ?? Environment.GetEnvironmentVariable(DataVariable) ?? ".";
            var read = PlanReader.Read(path);
            var folder = new StudyFolder(parsed.GetValue(output) ?? Path.Combine("artifacts", read.Slug));
            var cells = Chosen(read, parsed.GetValue(only) ?? []);
            if (parsed.GetValue(search) && read.Search is null) throw new UsageException($"--search is given, but {path} has no Search.");
            if (parsed.GetValue(reportOnly))
            {
                session.Result(("page", WritePage(read, folder, session.Token)));
                return;
            }
            var faults = new List<string>();
            var images = StudyImages.Find(read.Data, root, faults);
            if (parsed.GetValue(dryRun))
            {
                if (images is null && read.Data.Images is null) throw PlanReader.Refusal(path, faults);
                DryRun(read with { Cells = cells }, images, session);
                return;
            }
            if (images is null) throw PlanReader.Refusal(path, faults);
            int together = parsed.GetValue(worker) ?? parsed.GetValue(processes);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(session.Token);
            if (parsed.GetValue(timeLimit) is { } minutes)
            {
                var left = TimeSpan.FromMinutes(minutes) - Stopwatch.GetElapsedTime(start);
                if (left > TimeSpan.Zero) stop.CancelAfter(left);
                else stop.Cancel();
            }
            TorchRuntime.EnsureLoaded();
            if (together > 1) torch.set_num_threads(Math.Max(1, Environment.ProcessorCount / together));
            var context = new StudyContext(read, folder, images, new(read, root, images, folder), session, together, stop.Token);
            if (parsed.GetValue(worker) is not null)
            {
                StudyWorkers.StopWithParent(stop);
                _ = Work(context, cells, parsed.GetValue(search));
                return;
            }
            new ImagesResult(images.Classes, images.Train.Count, images.Extra.Count, [.. images.Test.Select(images.Name)],
                images.ClassesOf(images.Test)).Write(folder.Images);
            string[] arguments =
            [
                "study", path, "--data", root, "--output", folder.Root, .. parsed.GetValue(search) ? ["--search"] : Array.Empty<string>(),
                .. parsed.GetValue(only)?.SelectMany(name => new[] { "--only", name }) ?? [], "--worker",
                FormattableString.Invariant($"{together}"),
            ];
            JobList.WriteAsked(context);
            using var others = StudyWorkers.Start(together - 1, arguments, folder, stop.Token);
            var (done, open, failed) = Work(context, cells, parsed.GetValue(search));
            others.Wait();
            string page = WritePage(read, folder, session.Token);
            session.Token.ThrowIfCancellationRequested();
            session.Result(("page", page), ("results", done), ("left", open), ("failed", failed));
            if (failed > 0) throw new InvalidOperationException($"{failed} jobs failed; {page} says why. The same command tries again.");
            if (open > 0) session.Note("The time is up. The same command goes on.");
        }));
        return command;
    }

    // Of several commands on one folder the last that writes has all results.
    private static string WritePage(StudyPlan plan, StudyFolder folder, CancellationToken cancellation)
    {
        using var alone = folder.Lock("page", cancellation);
        return StudyPage.Write(plan, folder);
    }

    private static (int Done, int Left, int Failed) Work(StudyContext context, IReadOnlyList<StudyCell> cells, bool search) =>
        new JobRunner(context, DateTime.UtcNow).Run(search ? JobList.OfSearch(context) : JobList.OfCells(context, cells));

    private static IReadOnlyList<StudyCell> Chosen(StudyPlan plan, string[] names)
    {
        string[] unknown = [.. names.Where(n => plan.Cell(n) is null)];
        if (unknown.Length > 0)
            throw new UsageException($"--only is '{string.Join("', '", unknown)}'; it must be "
                + $"{string.Join(", ", plan.Cells.Select(c => $"'{c.Name}'"))}.");
        return names.Length == 0 ? plan.Cells : [.. plan.Cells.Where(c => names.Contains(c.Name))];
    }

    private static void DryRun(StudyPlan plan, StudyImages? images, Session session)
    {
        int known = plan.Data.Images ?? 0;
        var counts = images is null ? (known, known) : (images.Train.Count + images.Extra.Count, images.Train.Count);
        StudyDryRun.Write(plan, counts, images?.Train.Count ?? known, session);
    }
}
