package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.Arrays;

/**
 * Cosines and sines of rotary position embeddings (RoFormer, <a href="https://arxiv.org/abs/2104.09864">2104.09864</a>)
 * for positions 0 to {@code positions - 1}: angle {@code p * inverseFrequency[i]}, computed in float as Hugging Face
 * does.
 */
@Internal(shared = true)
public final class RotaryTable {
    private final int half;
    private final float[] cosines;
    private final float[] sines;
    private final boolean neighbours;

    /**
     * A table for the given inverse frequencies.
     *
     * @param inverseFrequencies one a pair of elements, D/2 in all
     * @param positions number of positions
     * @param attentionFactor factor on cosines and sines (1 except for scaled variants such as YaRN)
     */
    public RotaryTable(float[] inverseFrequencies, int positions, float attentionFactor) {
        this(inverseFrequencies, positions, attentionFactor, false);
    }

    /**
     * A table for the given inverse frequencies.
     *
     * @param inverseFrequencies one a pair of elements, D/2 in all
     * @param positions number of positions
     * @param attentionFactor factor on cosines and sines (1 except for scaled variants such as YaRN)
     * @param neighbours whether a pair is two elements side by side, as in GLM-4, instead of one of each half
     */
    public RotaryTable(float[] inverseFrequencies, int positions, float attentionFactor, boolean neighbours) {
        this.neighbours = neighbours;
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

    private RotaryTable(int half, float[] cosines, float[] sines, boolean neighbours) {
        this.half = half;
        this.cosines = cosines;
        this.sines = sines;
        this.neighbours = neighbours;
    }

    /** The positions of this table, and behind them those of another one for as many pairs. */
    public RotaryTable followedBy(RotaryTable other) {
        if (other.half != half || other.neighbours != neighbours) {
            throw new IllegalArgumentException("tables of " + half + " and " + other.half + " pairs");
        }
        float[] allCosines = Arrays.copyOf(cosines, cosines.length + other.cosines.length);
        float[] allSines = Arrays.copyOf(sines, allCosines.length);
        System.arraycopy(other.cosines, 0, allCosines, cosines.length, other.cosines.length);
        System.arraycopy(other.sines, 0, allSines, sines.length, other.sines.length);
        return new RotaryTable(half, allCosines, allSines, neighbours);
    }

    /** D/2, the number of rotated pairs of a head. */
    public int half() {
        return half;
    }

    /** Whether elements 2j and 2j + 1 are a pair, instead of j and j + half. */
    public boolean neighbours() {
        return neighbours;
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

    /**
     * Rotates pairs of neighbours of a head in place.
     *
     * @param u holds the head's elements
     * @param head where they begin
     * @param position whose angles are taken
     * @param sign 1, or -1 to rotate back
     */
    public void rotateNeighbours(float[] u, int head, int position, float sign) {
        for (int j = 0; j < half; j++) {
            float cos = cosines[position * half + j];
            float sin = sign * sines[position * half + j];
            float a = u[head + 2 * j];
            float b = u[head + 2 * j + 1];
            u[head + 2 * j] = a * cos - b * sin;
            u[head + 2 * j + 1] = b * cos + a * sin;
        }
    }
}
