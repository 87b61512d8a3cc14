using System.Diagnostics;
using MaskBias.MLNet.Samples.Cli.Study.Results;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>
/// Does jobs until all are complete. Several processes may work on one folder: each job is taken by one of them. A job that fails is
/// noted and the others go on; the next command tries it again.
/// </summary>
/// <param name="context">What the jobs work with.</param>
/// <param name="started">When the command began: failures before are tried again.</param>
internal sealed class JobRunner(StudyContext context, DateTime started)
{
    private const int WaitMilliseconds = 500;

    /// <summary>Does the jobs.</summary>
    /// <returns>Jobs that gave a result, are to give one still, and failed.</returns>
    public (int Done, int Left, int Failed) Run(IReadOnlyList<StudyJob> jobs)
    {
        while (true)
        {
            var left = Needed(jobs);
            var failed = left.Where(HasFailed).ToHashSet();
            if (context.Cancellation.IsCancellationRequested) return Count(jobs, failed);
            var open = left.Where(job => !failed.Contains(job) && !DependsOn(job, failed)).ToList();
            if (open.Count == 0) return Count(jobs, failed);
            var ready = open.Where(job => job.Needs.All(n => n.IsComplete())).OrderBy(job => job.Priority);
            if (ready.Any(job => TryRun(job, jobs))) continue;
            context.Cancellation.WaitHandle.WaitOne(WaitMilliseconds);      // other processes have the rest
        }
    }

    // Whether this process has done the job, or tried to.
    private bool TryRun(StudyJob job, IReadOnlyList<StudyJob> jobs)
    {
        using var held = context.Folder.TryLock(job.Id);
        if (held is null) return false;
        if (job.IsComplete() || HasFailed(job)) return true;
        string failure = context.Folder.Failure(job.Id);
        int done = jobs.Count(j => j.IsResult && j.IsComplete()), all = jobs.Count(j => j.IsResult);
        context.Session.Note(FormattableString.Invariant($"{done} of {all} results. {job.Title}"));
        long start = Stopwatch.GetTimestamp();
        try
        {
            job.Run();
            if (File.Exists(failure)) File.Delete(failure);
            context.Session.Note(FormattableString.Invariant($"  {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s"));
        }
        catch (Exception) when (context.Cancellation.IsCancellationRequested)
        {
            context.Session.Note($"Stopped: {job.Title}");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            new FailureResult(job.Id, e.GetType().Name, e.Message, DateTime.UtcNow).Write(failure);
            context.Session.Note($"Failed: {job.Title}: {e.Message}");
        }
        return true;
    }

    // Results that are missing, and what they need.
    private static List<StudyJob> Needed(IReadOnlyList<StudyJob> jobs)
    {
        var (needed, known) = (new List<StudyJob>(), new HashSet<StudyJob>(ReferenceEqualityComparer.Instance));
        foreach (var job in jobs.Where(j => j.IsResult)) Add(job);
        return needed;

        void Add(StudyJob job)
        {
            if (!known.Add(job) || job.IsComplete()) return;
            foreach (var before in job.Needs) Add(before);
            needed.Add(job);
        }
    }

    private bool HasFailed(StudyJob job) => !job.IsComplete()
        && StudyJson.Read<FailureResult>(context.Folder.Failure(job.Id)) is { } failure && failure.Time >= started;

    private static bool DependsOn(StudyJob job, HashSet<StudyJob> failed) =>
        job.Needs.Any(n => !n.IsComplete() && (failed.Contains(n) || DependsOn(n, failed)));

    private static (int, int, int) Count(IReadOnlyList<StudyJob> jobs, HashSet<StudyJob> failed)
    {
        var results = jobs.Where(j => j.IsResult).ToList();
        int done = results.Count(j => j.IsComplete());
        return (done, results.Count - done, failed.Count);
    }
}
