using System.CommandLine;
using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary><c>--resume</c> and <c>--overwrite</c>: what to do where a folder holds a run already.</summary>
internal sealed class ExistingRunInput
{
    /// <summary>The option that goes on with a run.</summary>
    public const string Resume = "--resume";

    private readonly Option<bool> resume = new(Resume) { Description = "Goes on with the run in the folder." };
    private readonly Option<bool> overwrite = new("--overwrite") { Description = "Replaces the run in the folder." };

    public ExistingRunInput(Command command)
    {
        command.Add(resume);
        command.Add(overwrite);
    }

    /// <summary>Sets the folder of a run and what to do with what it holds.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="folder">The folder; null where nothing is kept.</param>
    /// <param name="output">Receives them.</param>
    public void Apply(ParseResult parsed, string? folder, RunOutputOptions output)
    {
        bool resumes = parsed.GetValue(resume), overwrites = parsed.GetValue(overwrite);
        if (resumes && overwrites) throw new UsageException("--resume and --overwrite exclude each other.");
        if (folder is null && (resumes || overwrites)) throw new UsageException($"{(resumes ? "--resume" : "--overwrite")} needs --run, the folder of the run.");
        output.Folder = folder;
        output.WhenUsed = resumes ? ExistingRun.Resume : overwrites ? ExistingRun.Overwrite : ExistingRun.Refuse;
    }
}
