package io.peft4j.core.kernel;

/**
 * Cosines and sines of rotary position embeddings (RoFormer, <a href="https://arxiv.org/abs/2104.09864">2104.09864</a>)
 * for positions 0 to {@code positions - 1}: angle {@code p * inverseFrequency[i]}, computed in float as Hugging Face
 * does.
 */
public final class RotaryTable {
    private final int half;
    private final float[] cosines;
    private final float[] sines;

    /**
     * A table for the given inverse frequencies.
     *
     * @param inverseFrequencies one a pair of elements, D/2 in all
     * @param positions number of positions
     * @param attentionFactor factor on cosines and sines (1 except for scaled variants such as YaRN)
     */
    public RotaryTable(float[] inverseFrequencies, int positions, float attentionFactor) {
        half = inverseFrequencies.length;
        cosines = new float[Math.multiplyExact(positions, half)];
        sines = new float[cosines.length];
        for (int p = 0; p < positions; p++) {
            for (int i = 0; i < half; i++) {
                float angle = p * inverseFrequencies[i];
                cosines[p * half + i] = (float) Math.cos(angle) * attentionFactor;
                sines[p * half + i] = (float) Math.sin(angle) * attentionFactor;
            }
        }
    }

    /** D/2, the number of rotated pairs of a head. */
    public int half() {
        return half;
    }

    /** The number of positions in the table. */
    public int positions() {
        return half == 0 ? 0 : cosines.length / half;
    }

    /** Cosines, {@code [positions, D/2]}; the array itself, not to be changed. */
    public float[] cosines() {
        return cosines;
    }

    /** Sines, {@code [positions, D/2]}; the array itself, not to be changed. */
    public float[] sines() {
        return sines;
    }
}
