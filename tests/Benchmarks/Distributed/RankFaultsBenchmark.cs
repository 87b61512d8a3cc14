using System.Globalization;
using MaskBias.MLNet.Samples.Scenes;

namespace MaskBias.MLNet.Benchmarks.Distributed;

/// <summary>Ten jobs of each fault, on every MPI that this machine has in turn: each must end as stated and go on.</summary>
internal static class RankFaultsBenchmark
{
    private const int Each = 10;

    public static void Run(TextWriter output)
    {
        if (RankedJob.Launchers.Count == 0)
        {
            output.WriteLine("  there is no mpirun; install openmpi-bin or mpich.");
            return;
        }
        int each = int.TryParse(Environment.GetEnvironmentVariable("MASKBIAS_EACH"), CultureInfo.InvariantCulture, out int wanted) ? wanted : Each;
        string tool = Path.GetFullPath("src/Samples/Cli/bin/Release/net10.0/maskbias.dll");
        string folder = Directory.CreateTempSubdirectory("maskbias-faults-").FullName, images = Path.Combine(folder, "scenes");
        ShapeScenes.Generate(images, new() { Size = 32, ImagesPerClass = 2 });
        string? only = Environment.GetEnvironmentVariable("MASKBIAS_FAULT");
        foreach (var fault in Enum.GetValues<RankFault>().Where(f => only is null || f.ToString() == only))
        {
            var (right, longest) = (0, 0.0);
            for (int i = 0; i < each; i++)
            {
                var run = new FaultyRun(tool, images, Path.Combine(folder, $"{fault}-{i}"));
                int rank = fault is RankFault.Exception ? 1 : fault is RankFault.FullDisk ? 0 : 1 - i % 5 / 4;        // rank 0 now and then
                try
                {
                    var (wrong, seconds) = run.Run(RankedJob.Launchers[i % RankedJob.Launchers.Count], fault, rank, resumeOn: 1 + i % 2);
                    longest = Math.Max(longest, seconds);
                    if (wrong is null) right++;
                    else output.WriteLine($"  {fault} {i} ({RankedJob.Launchers[i % RankedJob.Launchers.Count]}): {wrong}");
                }
                finally
                {
                    run.Clean();
                }
            }
            string ends = fault == RankFault.FullDisk ? "" : string.Create(CultureInfo.InvariantCulture, $", at most {longest:0.0} s after it");
            output.WriteLine($"  {fault}: {right} of {each} jobs ended as stated{ends} and went on");
        }
        Directory.Delete(folder, recursive: true);
    }
}
