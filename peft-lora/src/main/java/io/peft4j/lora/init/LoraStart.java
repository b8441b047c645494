package io.peft4j.lora.init;

import io.peft4j.core.Internal;

/**
 * First values of A and B that belong together.
 *
 * @param a [r, in]
 * @param b [out, r]
 * @param partOfBase whether {@code s * b a} is taken out of the base weight, so that the model begins as the base
 *     though it is not zero
 * @param weight [out, in], what takes the place of the base weight; empty where that stays
 */
@Internal
public record LoraStart(float[] a, float[] b, boolean partOfBase, float[] weight) {
    LoraStart(float[] a, float[] b, boolean partOfBase) {
        this(a, b, partOfBase, new float[0]);
    }

    /** {@code a = sqrt(S / s) V^T}, {@code b = U sqrt(S / s)}: S is shared between the two. */
    static LoraStart shared(double[] u, double[] s, double[] vt, double scaling, boolean partOfBase, float[] weight) {
        int rank = s.length;
        float[] a = new float[vt.length];
        float[] b = new float[u.length];
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) (vt[i] * Math.sqrt(s[i / (a.length / rank)] / scaling));
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) (u[i] * Math.sqrt(s[i % rank] / scaling));
        }
        return new LoraStart(a, b, partOfBase, weight);
    }
}
