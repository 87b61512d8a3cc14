using System.Globalization;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>What the command line asks for.</summary>
internal sealed record QuickstartArguments
{
    public const string Usage = """
        Usage: dotnet run -c Release --project src/Samples/Quickstart [-- OPTIONS]

        Pretrains a vision transformer on images guided by masks, distils it into a plain one, and saves an ML.NET model.

          --images DIR         your images: one folder per class, or a flat folder of unlabelled images
                               (default: scenes of ten shapes, generated)
          --test DIR           images to hold out, in folders of the same classes (default: a fifth of each class)
          --extra DIR          more images for the two trainings; what classes they have plays no part
          --method NAME        how phase 1 learns: dino or mae (default: dino)
          --no-masks           phase 1 without masks, to compare with: they are found and drawn, but guide nothing
          --output DIR         where the results go (default: artifacts/quickstart)
          --epochs N           epochs of the mask-guided pretraining
          --distill-epochs N   epochs of the distillation
          --seed N             seed of images, split, weights and training (default: 1)
          --resume             goes on with a run that was stopped, with the same options
          --short              a run of well under a minute, to see that everything works; the accuracies mean little
          --help               this text
        """;

    /// <summary>The user's images, or null for generated scenes.</summary>
    public string? Images { get; private init; }

    /// <summary>The images to hold out, or null for a part of <see cref="Images"/>.</summary>
    public string? Test { get; private init; }

    /// <summary>More images without labels, or null.</summary>
    public string? Extra { get; private init; }

    /// <summary>How phase 1 learns.</summary>
    public PretrainingMethod Method { get; private init; }

    /// <summary>Whether phase 1 and its distillation do without masks.</summary>
    public bool NoMasks { get; private init; }

    public string Output { get; private init; } = Path.Combine("artifacts", "quickstart");

    /// <summary>Epochs of the pretraining, or null for the job's own choice.</summary>
    public int? Epochs { get; private init; }

    /// <summary>Epochs of the distillation, or null for the job's own choice.</summary>
    public int? DistillEpochs { get; private init; }

    public int Seed { get; private init; } = 1;

    /// <summary>Whether a run that was stopped goes on.</summary>
    public bool Resume { get; private init; }

    public bool Short { get; private init; }

    public bool Help { get; private init; }

    /// <summary>Reads the command line.</summary>
    /// <exception cref="UsageException">An argument is unknown, lacks its value, or has one that is not allowed.</exception>
    public static QuickstartArguments Parse(IReadOnlyList<string> arguments)
    {
        var result = new QuickstartArguments();
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];
            result = name switch
            {
                "--images" => result with { Images = Value() },
                "--test" => result with { Test = Value() },
                "--extra" => result with { Extra = Value() },
                "--method" => result with { Method = Name() },
                "--output" => result with { Output = Value() },
                "--epochs" => result with { Epochs = Number(atLeast: 1) },
                "--distill-epochs" => result with { DistillEpochs = Number(atLeast: 1) },
                "--seed" => result with { Seed = Number(atLeast: 0) },
                "--no-masks" => result with { NoMasks = true },
                "--resume" => result with { Resume = true },
                "--short" => result with { Short = true },
                "--help" or "-h" or "-?" => result with { Help = true },
                _ => throw new UsageException($"{name} is not an option of this program."),
            };

            string Value() => ++i < arguments.Count && arguments[i].Length > 0 && !arguments[i].StartsWith("--", StringComparison.Ordinal)
                ? arguments[i]
                : throw new UsageException($"{name} needs a value.");

            PretrainingMethod Name() => Value() switch
            {
                "dino" => PretrainingMethod.Dino,
                "mae" => PretrainingMethod.Mae,
                var other => throw new UsageException($"{name} is {other}; it must be dino or mae."),
            };

            int Number(int atLeast)
            {
                string text = Value();
                return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= atLeast
                    ? number
                    : throw new UsageException($"{name} is {text}; it must be a whole number, at least {atLeast}.");
            }
        }
        if (result.Images is null && (result.Test ?? result.Extra) is not null)
            throw new UsageException("--test and --extra belong to images of your own: give --images too.");
        return result;
    }
}
