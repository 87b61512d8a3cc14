using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using MaskBias.MLNet.Native;
using TorchSharp;

namespace MaskBias.MLNet.Benchmarks.Kernels;

/// <summary>The library's own inner loops by BenchmarkDotNet, on one core, each against what would be there without it.</summary>
internal static class KernelBenchmark
{
    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        torch.set_num_threads(1);
        string artifacts = Directory.CreateTempSubdirectory("maskbias-kernels-").FullName;
        try
        {
            // In this process: libtorch takes long to load, and a program of BenchmarkDotNet's own would have to find it.
            var config = ManualConfig.CreateEmpty().AddJob(Job.Default.WithWarmupCount(3).WithIterationCount(10).WithToolchain(InProcessEmitToolchain.Instance))
                .AddLogger(NullLogger.Instance).AddColumnProvider(DefaultColumnProviders.Instance).AddDiagnoser(MemoryDiagnoser.Default)
                .WithArtifactsPath(artifacts).WithOptions(ConfigOptions.DisableLogFile);
            foreach (var kernel in new[] { typeof(ViewKernel), typeof(OptimizerKernel), typeof(MaskTokenKernel) })
            {
                var table = new AccumulationLogger();
                MarkdownExporter.Console.ExportToLog(BenchmarkRunner.Run(kernel, config), table);
                output.WriteLine(table.GetLog());
            }
        }
        finally
        {
            Directory.Delete(artifacts, recursive: true);
        }
    }
}
