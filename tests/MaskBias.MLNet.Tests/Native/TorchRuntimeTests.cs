using System.Diagnostics;
using MaskBias.MLNet.Native;

namespace MaskBias.MLNet.Tests.Native;

public class TorchRuntimeTests
{
    [Fact]
    public async Task A_missing_libtorch_gives_one_clear_error()
    {
        // A copy of this program's managed files, without libtorch.
        var folder = Directory.CreateTempSubdirectory("maskbias-nolibtorch-");
        try
        {
            string here = AppContext.BaseDirectory;
            foreach (string file in Directory.EnumerateFiles(here).Where(f => Path.GetExtension(f) is ".dll" or ".json"))
                File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
            string deps = Path.Combine(folder.FullName, "MaskBias.MLNet.Tests.deps.json");
            if (File.Exists(deps)) File.Delete(deps);
            var start = new ProcessStartInfo("dotnet", [Path.Combine(folder.FullName, "MaskBias.MLNet.Tests.dll"), "-list", "classes"])
            {
                RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = folder.FullName,
            };
            start.Environment["NUGET_PACKAGES"] = Path.Combine(folder.FullName, "none");
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync() + await errors;
            await process.WaitForExitAsync();
            Assert.NotEqual(0, process.ExitCode);
            Assert.Contains("could not be loaded", output, StringComparison.Ordinal);
            Assert.Contains("Looked in: ", output, StringComparison.Ordinal);
            Assert.Contains("PackageReference Include=\"libtorch-cpu-", output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_file_that_is_no_elf_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.MarkWeak(new byte[100], "GLIBCXX_3.4.32"));
        var broken = new byte[200];
        "\u007fELF\u0002\u0001"u8.CopyTo(broken);
        broken[40] = 0xff;                                   // section table far outside
        broken[41] = 0xff;
        broken[60] = 3;
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.MarkWeak(broken, "GLIBCXX_3.4.32"));
    }

    [Fact]
    public void A_missing_cuda_device_is_an_error_and_auto_says_why()
    {
        if (TorchSharp.torch.cuda_is_available()) Assert.Skip("there is a CUDA device");
        var error = Assert.Throws<InvalidOperationException>(() => ComputeDevice.Cuda(1).Resolve());
        Assert.Contains("Cuda(1)", error.Message, StringComparison.Ordinal);
        Assert.Contains("no CUDA device", ComputeDevice.Auto.Resolve().Reason, StringComparison.Ordinal);
    }
}
