namespace MaskBias.MLNet.Tests.Weights;

/// <summary>A folder of its own for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("maskbias-weights-");

    public string Folder => folder.FullName;

    public string File(string name) => Path.Combine(folder.FullName, name);

    public string[] Names => folder.GetFiles("*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f.FullName)).Order().ToArray();

    public void Dispose() => folder.Delete(recursive: true);
}
