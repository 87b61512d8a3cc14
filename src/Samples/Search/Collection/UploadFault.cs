namespace MaskBias.MLNet.Samples.Search.Collection;

/// <summary>Why an upload is not taken.</summary>
internal enum UploadFault
{
    /// <summary>It is of another format than those that are read.</summary>
    WrongType,

    /// <summary>It has too many pixels.</summary>
    TooLarge,

    /// <summary>It is damaged.</summary>
    Damaged,

    /// <summary>The collection is full.</summary>
    Full,
}
