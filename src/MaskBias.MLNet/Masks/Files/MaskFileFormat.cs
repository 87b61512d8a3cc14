namespace MaskBias.MLNet.Masks.Files;

/// <summary>How masks are stored.</summary>
public enum MaskFileFormat
{
    /// <summary>Recognised by what is found: the JSON file's content, or for a folder each image's own .json, .png or folder.</summary>
    Auto,

    /// <summary>One JSON file per image in SA-1B's format, or the list that Segment Anything's generator writes.</summary>
    Sa1b,

    /// <summary>One JSON file of COCO instances or results for all images: run lengths or polygons.</summary>
    Coco,

    /// <summary>COCO's panoptic JSON file, with the folder of its PNGs beside it.</summary>
    CocoPanoptic,

    /// <summary>One PNG per image whose pixels are labels.</summary>
    LabelMap,

    /// <summary>One folder per image that holds a binary PNG per mask.</summary>
    BinaryFolders,
}
