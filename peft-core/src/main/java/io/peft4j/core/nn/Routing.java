package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which experts each token goes to: those with the k highest scores of its router. Places are counted row by row over
 * [N, k]: token i has the places {@code i * k} to {@code i * k + k - 1}, best first.
 */
@Internal(shared = true)
public final class Routing {
    private final int[] chosen;
    private final int experts;
    private final int perToken;

    private Routing(int[] chosen, int experts, int perToken) {
        this.chosen = chosen;
        this.experts = experts;
        this.perToken = perToken;
    }

    /**
     * The k highest scores of each row, of equal ones the first.
     *
     * @param scores [N, E], FLOAT or BFLOAT16
     * @throws IllegalArgumentException when k is not at least 1 and at most E
     */
    public static Routing highest(INDArray scores, int k) {
        int experts = Arrays.columns(scores);
        if (k < 1 || k > experts) {
            throw new IllegalArgumentException("cannot choose " + k + " of " + experts + " experts for a token");
        }
        float[] values = Arrays.toFloats(scores);
        int[] chosen = new int[Arrays.rows(scores) * k];
        for (int place = 0; place < chosen.length; place++) {
            int row = place / k;
            int best = -1;
            for (int e = 0; e < experts; e++) {
                boolean taken = false;
                for (int before = row * k; before < place; before++) {
                    taken |= chosen[before] == e;
                }
                if (!taken && (best < 0 || values[row * experts + e] > values[row * experts + best])) {
                    best = e;
                }
            }
            chosen[place] = best;
        }
        return new Routing(chosen, experts, k);
    }

    /** k, the number of experts for each token. */
    public int perToken() {
        return perToken;
    }

    /** The expert at each place [N x k]. */
    public int[] chosen() {
        return chosen.clone();
    }

    /** For each place the index of its score in the array of scores [N, E], counted row by row. */
    public int[] scoreIndices() {
        return IntStream.range(0, chosen.length).map(place -> place / perToken * experts + chosen[place]).toArray();
    }

    /** The places of an expert, ascending. */
    public int[] places(int expert) {
        return IntStream.range(0, chosen.length).filter(place -> chosen[place] == expert).toArray();
    }

    /** The tokens (rows) at the places of an expert. */
    public int[] tokens(int expert) {
        return IntStream.of(places(expert)).map(place -> place / perToken).toArray();
    }

    /** The experts that have at least one token, ascending. */
    public List<Integer> busyExperts() {
        boolean[] busy = new boolean[experts];
        for (int expert : chosen) {
            busy[expert] = true;
        }
        List<Integer> all = new ArrayList<>();
        for (int e = 0; e < experts; e++) {
            if (busy[e]) {
                all.add(e);
            }
        }
        return all;
    }
}
