package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.util.Arrays;
import java.util.Locale;

/**
 * How the changes of several adapters become one, with the names of Hugging Face PEFT's {@code combination_type}. Those
 * that end with svd work on the product {@code s B A} of each layer and decompose the result again; the others on A and
 * B by themselves, which costs nothing but is only a rough approximation of the sum of the products.
 */
@Internal(shared = true)
public enum CombinationType {
    /** Weighted sums of the As and of the Bs. */
    LINEAR(Pruning.NONE, false, false),
    /** As and Bs side by side: the exact weighted sum of the products; ranks add up. */
    CAT(Pruning.NONE, false, false),
    /** The weighted sum of the products, decomposed. */
    SVD(Pruning.NONE, false, true),
    /**
     * Small values are dropped, and of each value only the adapters that agree with the majority's sign count
     * (<a href="https://arxiv.org/abs/2306.01708">2306.01708</a>).
     */
    TIES(Pruning.MAGNITUDE, true, false),
    /** {@link #TIES} on the products. */
    TIES_SVD(Pruning.MAGNITUDE, true, true),
    /**
     * Random values are dropped and the rest scaled up (<a href="https://arxiv.org/abs/2311.03099">2311.03099</a>).
     */
    DARE_LINEAR(Pruning.RANDOM, false, false),
    /** {@link #DARE_LINEAR}, then the majority's sign as in {@link #TIES}. */
    DARE_TIES(Pruning.RANDOM, true, false),
    /** {@link #DARE_LINEAR} on the products. */
    DARE_LINEAR_SVD(Pruning.RANDOM, false, true),
    /** {@link #DARE_TIES} on the products. */
    DARE_TIES_SVD(Pruning.RANDOM, true, true),
    /** Small values are dropped. */
    MAGNITUDE_PRUNE(Pruning.MAGNITUDE, false, false),
    /** {@link #MAGNITUDE_PRUNE} on the products. */
    MAGNITUDE_PRUNE_SVD(Pruning.MAGNITUDE, false, true);

    /** Which values are dropped before the sum. */
    enum Pruning {
        NONE, MAGNITUDE, RANDOM
    }

    private final Pruning pruning;
    private final boolean electsSign;
    private final boolean decomposes;

    CombinationType(Pruning pruning, boolean electsSign, boolean decomposes) {
        this.pruning = pruning;
        this.electsSign = electsSign;
        this.decomposes = decomposes;
    }

    Pruning pruning() {
        return pruning;
    }

    /** Whether only values with the majority's sign count. */
    boolean electsSign() {
        return electsSign;
    }

    /** Whether it works on the products and decomposes the result. */
    boolean decomposes() {
        return decomposes;
    }

    /** The name in Hugging Face PEFT. */
    public String peftName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The type of a name.
     *
     * @throws ConfigurationException when there is none
     */
    public static CombinationType of(String name) {
        return Arrays.stream(values()).filter(type -> type.peftName().equals(name)).findFirst()
                .orElseThrow(() -> new ConfigurationException("unknown combination type '" + name + "'; use one of "
                        + Arrays.stream(values()).map(CombinationType::peftName).toList()));
    }
}
