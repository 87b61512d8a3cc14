using System.Collections.Concurrent;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MaskBias.MLNet.Samples.Common.Terminal;

/// <summary>The column beside a bar: a line of text that its phase's latest report gives.</summary>
internal sealed class ProgressDetails : ProgressColumn
{
    private readonly ConcurrentDictionary<int, string> texts = new();

    protected override bool NoWrap => true;

    public void Set(ProgressTask task, string text) => texts[task.Id] = text;

    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
        new Text(texts.GetValueOrDefault(task.Id, ""));
}
