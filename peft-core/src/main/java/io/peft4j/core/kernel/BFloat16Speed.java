package io.peft4j.core.kernel;

/** How products of matrices that are kept in BFLOAT16 compare with those of FLOAT ones on a processor. */
public enum BFloat16Speed {
    /** Slower: BFLOAT16 saves memory and costs time. */
    SLOWER,
    /** As fast: what is stored in BFLOAT16 is widened on its way into f32 products, and takes half the memory. */
    SAME,
    /** Faster: the processor multiplies BFLOAT16 as it is, at a higher rate than FLOAT. */
    FASTER
}
