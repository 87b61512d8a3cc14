using System.Reflection;
using PublicApiGenerator;

namespace MaskBias.MLNet.Tests.Package;

/// <summary>
/// The public surface of each library is written down in its PublicApi.txt, so that no change of it goes unseen. A test rather than
/// an analyzer: it costs the builds nothing, and the file reads like code. MASKBIAS_ACCEPT_API=1 writes the files anew.
/// </summary>
public sealed class PublicApiTests
{
    // The compiler's own name of a method's state machine has a number in it.
    private static readonly ApiGeneratorOptions Options = new()
    {
        IncludeAssemblyAttributes = false, ExcludeAttributes = ["System.Runtime.CompilerServices.AsyncIteratorStateMachineAttribute"],
    };

    [Theory]
    [InlineData("MaskBias.MLNet")]
    [InlineData("MaskBias.MLNet.Extensions")]
    [InlineData("MaskBias.MLNet.VectorSearch")]
    [InlineData("MaskBias.MLNet.Experiments.Trees")]
    public void The_public_surface_is_the_one_written_down(string library)
    {
        string file = Path.Combine(Fixtures.Root, "src", library, "PublicApi.txt");
        string surface = Assembly.Load(library).GeneratePublicApi(Options).ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("MASKBIAS_ACCEPT_API") == "1") File.WriteAllText(file, surface + "\n");
        string[] now = surface.Split('\n'), written = File.ReadAllText(file).TrimEnd().ReplaceLineEndings("\n").Split('\n');
        var (gone, added) = (written.Except(now).Select(l => "- " + l.Trim()), now.Except(written).Select(l => "+ " + l.Trim()));
        string changes = string.Join('\n', gone.Concat(added));
        Assert.True(now.SequenceEqual(written), $"""
            The public surface of {library} has changed:
            {changes}
            If that is meant, write it down: MASKBIAS_ACCEPT_API=1 dotnet test -c Release --filter PublicApiTests
            """);
    }
}
