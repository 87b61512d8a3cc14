using System.Text.Json;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>One case of the reference fixtures: the configuration in its manifest, and its tensors.</summary>
internal sealed class ReferenceCase : IDisposable
{
    private readonly string folder;
    private readonly Dictionary<string, SafetensorsFile> files = [];
    private readonly JsonDocument manifest;

    public ReferenceCase(string name)
    {
        TorchRuntime.EnsureLoaded();
        folder = Fixtures.Path(name);
        manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "manifest.json")));
    }

    public JsonElement Config => manifest.RootElement.GetProperty("config");

    public int Int(string name) => Config.GetProperty(name).GetInt32();

    public double Double(string name) => Config.GetProperty(name).GetDouble();

    public SafetensorsFile File_(string name) =>
        files.TryGetValue(name, out var known) ? known : files[name] = SafetensorsFile.Open(Path.Combine(folder, name + ".safetensors"));

    public Tensor Read(string file, string name) => File_(file).Read(name);

    public double[] Doubles(string file, string name)
    {
        using var tensor = Read(file, name).to_type(ScalarType.Float64);
        return tensor.data<double>().ToArray();
    }

    /// <summary>Copies the file's tensors into the parameters of the same name (after the prefix); all must be there.</summary>
    public void LoadInto(nn.Module module, string file, string prefix = "")
    {
        using var _ = no_grad();
        foreach (var (name, target) in module.state_dict())
        {
            using var source = Read(file, prefix + name);
            Assert.Equal(target.shape, source.shape);
            target.copy_(source);
        }
    }

    /// <summary>Copies all of the file's tensors over parameters of the same name; others stay.</summary>
    public void LoadOver(nn.Module module, string file)
    {
        using var _ = no_grad();
        var targets = module.state_dict();
        foreach (var entry in File_(file).Entries)
        {
            using var source = Read(file, entry.Name);
            Assert.Equal(targets[entry.Name].shape, source.shape);
            targets[entry.Name].copy_(source);
        }
    }

    public void Dispose()
    {
        foreach (var file in files.Values) file.Dispose();
        manifest.Dispose();
    }
}
