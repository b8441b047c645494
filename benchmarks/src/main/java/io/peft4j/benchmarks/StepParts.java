package io.peft4j.benchmarks;

import java.util.List;
import java.util.Locale;

/** What a training step consists of, and the operations of each part. */
enum StepParts {
    /** Products with frozen weights, forward and back to the input, and LoRA's updates that are computed with them. */
    PRODUCTS("products with frozen weights and adapters", "linear", "linearBackward", "linearWithLowRank",
            "linearWithLowRankBackward"),
    /** Products with adapters alone. */
    ADAPTERS("adapters alone", "lowRank", "lowRankBackward", "matmul"),
    /** Attention and the rotation of queries and keys. */
    ATTENTION("attention, rotary embedding", "attention", "attentionBackward", "rotary"),
    /** Norms. */
    NORMS("norms", "rmsNorm", "rmsNormBackward", "layerNorm", "layerNormBackward"),
    /** The feed-forward network's activation, and what it gates. */
    ACTIVATION("activation", "gated", "gatedBackward", "activate", "activateBackward"),
    /** Cross-entropy without the output layer. */
    LOSS("loss", "crossEntropyGradient"),
    /** Clipping and AdamW. */
    OPTIMIZER("optimizer", "adamW", "sumOfSquares");

    private final String title;
    private final List<String> operations;

    StepParts(String title, String... operations) {
        this.title = title;
        this.operations = List.of(operations);
    }

    /**
     * A table of the parts of a step.
     *
     * @param seconds of all steps
     * @param limit the rate of large matrix products, GFLOPS
     */
    static String table(TimedKernels timed, double seconds, int steps, double limit) {
        StringBuilder table = new StringBuilder();
        double rest = seconds;
        for (StepParts part : values()) {
            double own = timed.seconds(part.operations);
            rest -= own;
            append(table, part.title, own, seconds, steps);
        }
        append(table, "rest", rest, seconds, steps);
        double gflops = timed.flops() / timed.seconds(PRODUCTS.operations) / 1e9;
        table.append(String.format(Locale.ROOT, "products at %.1f GFLOPS, %.1f %% of the limit of %.1f; whole step at "
                + "%.1f %%%n", gflops, 100 * gflops / limit, limit, 100 * timed.flops() / seconds / 1e9 / limit));
        return table.toString();
    }

    private static void append(StringBuilder table, String title, double own, double seconds, int steps) {
        table.append(String.format(Locale.ROOT, "%-42s %8.2f ms %5.1f %%%n", title, 1e3 * own / steps,
                100 * own / seconds));
    }
}
