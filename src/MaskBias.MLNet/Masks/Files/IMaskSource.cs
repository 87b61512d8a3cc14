namespace MaskBias.MLNet.Masks.Files;

/// <summary>Finds the stored masks of images by their paths. Thread-safe.</summary>
internal interface IMaskSource
{
    /// <summary>Where masks are looked for, for errors.</summary>
    string Description { get; }

    /// <summary>Reads an image's masks, or gives null where there are none for it.</summary>
    /// <exception cref="InvalidDataException">A file is damaged or not of its format.</exception>
    FoundMasks? Find(string imagePath);
}
