using System.Runtime.InteropServices;

namespace MaskBias.MLNet.Native;

/// <summary>
/// Finds and loads libtorch and TorchSharp's own native library before TorchSharp looks for them, so that what is missing is
/// named plainly and systems with a libstdc++ older than GCC 13's are served.
/// </summary>
public static class TorchRuntime
{
    private const string BindingsLibrary = "libLibTorchSharp.so";
    private const string NewestNeededVersion = "GLIBCXX_3.4.32";
    private const string WaitPolicy = "OMP_WAIT_POLICY", SpinCount = "GOMP_SPINCOUNT", BriefSpin = "1000";

    private static readonly string[] LibtorchFiles = ["libc10.so", "libtorch_cpu.so", "libtorch_cuda.so", "libtorch.so"];
    private static readonly Lazy<string?> Failure = new(TryLoad);

    /// <summary>Loads the native libraries once per process.</summary>
    /// <exception cref="DllNotFoundException">libtorch is missing or clashes: the message says what was looked for, where, and what to install.</exception>
    public static void EnsureLoaded()
    {
        if (Failure.Value is { } reason) throw new DllNotFoundException(reason);
    }

    // For constructors whose base constructor already needs libtorch.
    internal static string EnsureLoaded(string name)
    {
        EnsureLoaded();
        return name;
    }

    private static string? TryLoad()
    {
        try
        {
            if (OperatingSystem.IsLinux() && LoadOnLinux(SearchFolders()) is { } missing) return missing;
            TorchSharp.torch.InitializeDeviceType(TorchSharp.DeviceType.CPU);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or NotSupportedException or BadImageFormatException or EntryPointNotFoundException)
        {
            return Explain((e as TypeInitializationException)?.InnerException?.Message ?? e.Message, SearchFolders());
        }
    }

    private static string? LoadOnLinux(IReadOnlyList<string> folders)
    {
        LimitSpinning();
        // libtorch first: by full path where the app carries it, else by name, so that LD_LIBRARY_PATH may point to another build.
        foreach (string file in LibtorchFiles)
        {
            string path = Locate(file, folders) ?? file;
            if (!NativeLibrary.TryLoad(path, out _) && file == "libtorch_cpu.so")
                return Explain(LoaderMessage(path), folders);
        }
        if (Locate(BindingsLibrary, folders) is not { } bindings)
            return Explain($"{BindingsLibrary}, which the TorchSharp package brings, is not there", folders);
        try
        {
            NativeLibrary.Load(bindings);
        }
        catch (DllNotFoundException e) when (e.Message.Contains(NewestNeededVersion, StringComparison.Ordinal))
        {
            LoadWithWeakVersion(bindings);
        }
        return null;
    }

    // libtorch's threads (GNU OpenMP) wait in a loop of 300,000 rounds, which makes training many times slower where another program
    // uses the same cores. A thousand rounds cost nothing measurable on idle ones. What the environment already says stands. OpenMP reads
    // it once, when it is loaded.
    private static void LimitSpinning()
    {
        if (Environment.GetEnvironmentVariable(WaitPolicy) is null) NativeEnvironment.SetUnlessSet(SpinCount, BriefSpin);
    }

    // TorchSharp's library asks for the version through one marker symbol that no relocation uses, so a need marked weak loads
    // and runs on older systems. TorchSharp then finds the loaded copy by its soname.
    private static void LoadWithWeakVersion(string bindings)
    {
        byte[] elf = File.ReadAllBytes(bindings);
        ElfVersionNeeds.MarkWeak(elf, NewestNeededVersion);
        var folder = Directory.CreateTempSubdirectory("maskbias-native-");
        try
        {
            string copy = Path.Combine(folder.FullName, BindingsLibrary);
            File.WriteAllBytes(copy, elf);
            NativeLibrary.Load(copy);
        }
        finally
        {
            folder.Delete(recursive: true);   // mapped by now: the file itself is not needed again
        }
    }

    private static List<string> SearchFolders()
    {
        string known = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        string platform = OperatingSystem.IsWindows() ? "win-x64" : OperatingSystem.IsMacOS() ? "osx-arm64" : "linux-x64";
        return known.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append(AppContext.BaseDirectory)
            .Append(Path.Combine(AppContext.BaseDirectory, "runtimes", platform, "native"))
            .Distinct().ToList();
    }

    private static string? Locate(string file, IEnumerable<string> folders) =>
        folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);

    private static string LoaderMessage(string path)
    {
        try
        {
            NativeLibrary.Load(path);
            return $"{path} could not be loaded";
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return e.Message;
        }
    }

    private static string Explain(string reason, IEnumerable<string> folders)
    {
        string package = OperatingSystem.IsWindows() ? "libtorch-cpu-win-x64" : OperatingSystem.IsMacOS() ? "libtorch-cpu-osx-arm64" : "libtorch-cpu-linux-x64";
        string cuda = OperatingSystem.IsWindows() ? "TorchSharp-cuda-windows" : "TorchSharp-cuda-linux";
        var managed = typeof(TorchSharp.torch).Assembly.GetName().Version;
        return $"""
            libtorch, which TorchSharp {managed} computes with, could not be loaded: {reason}.
            Looked in: {string.Join(", ", folders)}; then the system's own search path.
            Add exactly one libtorch package to the application's project (the library itself brings none):
              CPU:  <PackageReference Include="{package}" Version="2.10.0" />
              CUDA: <PackageReference Include="{cuda}" Version="0.107.0" />
            If one is there already, another library (for instance Microsoft.ML.TorchSharp, which pins TorchSharp 0.102) may bring a second version: keep one.
            """;
    }
}
