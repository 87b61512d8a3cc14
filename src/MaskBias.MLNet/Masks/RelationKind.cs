namespace MaskBias.MLNet.Masks;

/// <summary>How the relation of two patches is computed from their mask token vectors m_i and m_j.</summary>
public enum RelationKind
{
    /// <summary>R⁺ = max_k min(m_ik, m_jk).</summary>
    Soft,

    /// <summary>R⁺ = 1 where the soft relation is at least 0.5, else 0.</summary>
    Binary,

    /// <summary>R⁺ = cos(m_i, m_j).</summary>
    Cosine,
}
