using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Cli.Report.Sections;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Report;

/// <summary>Collects the sections of a report.</summary>
internal static class RunReport
{
    private const int Shown = 8, ShownWithHeads = 6;

    // Those that look at images.
    private static readonly string[] ImageTitles =
    [
        MasksSection.Title, AttentionSection.Title, PatchFeaturesSection.Title, NeighborsSection.Title, ConfusionSection.Title,
        MapSection.Title, FewShotSection.Title,
    ];

    /// <summary>Makes the sections.</summary>
    /// <exception cref="IOException">The run is not there.</exception>
    /// <exception cref="UsageException">There are no images where they are said to be.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static IReadOnlyList<ReportSection> Build(ReportOptions options, IProgress<string> progress)
    {
        var files = RunFiles.Find(options.Run, options.Encoder);
        progress.Report($"{files.Runs.Count} runs, {files.Encoders.Count} encoders");
        var curves = files.Runs.Select(run => RunCurves.Read(run.Record)).ToList();
        List<ReportSection> sections =
        [
            .. ConfigurationSection.Of(files, curves), .. files.Runs.Zip(curves, (run, c) => CurvesSection.Of(run.Name, c)),
            BiasSection.Of(files, progress),
        ];
        string? missing = options.Images is null ? "No images were given: --images DIR names a folder of them."
            : files.Encoders.Count == 0 ? "The run has left no encoder to look at images with." : null;
        sections.AddRange(missing is null
            ? OfImages(options, files, progress) : ImageTitles.Select(title => ReportSection.LeftOut(title, missing)));
        return [.. sections, .. ConfigurationSection.Options(files)];
    }

    private static List<ReportSection> OfImages(ReportOptions options, RunFiles files, IProgress<string> progress)
    {
        var ml = new MLContext(options.Seed);
        var listed = Load(ml, options);
        progress.Report($"{listed.Images.Count} of {listed.Found} images in {listed.Classes.Count} classes");
        using var study = ImageStudy.Of(ml, listed, files.Encoders, options.Seed, progress);
        var (encoder, images) = (files.Encoders[0].Name, study.Images);
        var chosen = images.Spread(Shown);
        progress.Report("masks, attention and features of patches");
        var shown = ShownImages.Of(ml, study, chosen, options);
        List<ReportSection> sections =
        [
            MasksSection.Of(shown, options.MaskSource),
            AttentionSection.Of(encoder, study.Encoder, [.. Numbers.Some(shown, ShownWithHeads)]),
            PatchFeaturesSection.Of(encoder, study.Encoder, shown), NeighborsSection.Of(study, chosen),
            images.HasClasses ? ConfusionSection.Of(study) : WithoutClasses(ConfusionSection.Title),
            MapSection.Of(study, options.Seed, progress),
            images.HasClasses ? FewShotSection.Of(study, options.Seed, progress) : WithoutClasses(FewShotSection.Title),
        ];
        return [new("Images", [new Paragraph(Describe(options.Images!, listed, study))]), .. sections];
    }

    private static ImageSet Load(MLContext ml, ReportOptions options)
    {
        try
        {
            return ImageSet.Load(ml, options.Images!, options.MaxImages, options.Seed);
        }
        catch (Exception e) when (e is DirectoryNotFoundException or ArgumentException)
        {
            throw new UsageException(e.Message);
        }
    }

    private static ReportSection WithoutClasses(string title) =>
        ReportSection.LeftOut(title, "The images carry no classes: they are not in a folder per class, of which there are two or more.");

    private static string Describe(string folder, ImageSet listed, ImageStudy study)
    {
        string drawn = listed.Images.Count < listed.Found
            ? $"{listed.Images.Count} images, drawn from {listed.Found}" : $"{listed.Found} images";
        string classes = study.Images.HasClasses ? $" in {study.Images.Classes.Count} classes" : "";
        string unreadable = study.Unreadable > 0 ? $" {study.Unreadable} of them cannot be read and are left out." : "";
        return $"{drawn} of {folder}{classes}.{unreadable} Encoders see them without masks.";
    }
}
