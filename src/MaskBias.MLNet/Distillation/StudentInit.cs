namespace MaskBias.MLNet.Distillation;

/// <summary>How the student of a distillation starts.</summary>
public enum StudentInit
{
    /// <summary>From the teacher's weights where the sizes agree, else fresh.</summary>
    Auto,

    /// <summary>From the teacher's weights, without the bias; the sizes must agree.</summary>
    Teacher,

    /// <summary>Freshly drawn; only the head, where there is one, still starts from the teacher's where the widths agree.</summary>
    Fresh,
}
