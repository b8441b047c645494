package io.peft4j.core.peft;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.LanguageModel;
import java.util.List;
import java.util.Locale;

/**
 * Whether a merged model still says what the adapter made it say: its logits on sample text before and after.
 *
 * @param texts sample texts, best of the kind that the adapter was trained for
 * @param tolerance the largest {@link LogitDifference#relative()} that is accepted
 */
public record MergeCheck(List<String> texts, double tolerance) {
    /**
     * What merging in f32 may change: each weight is rounded once (6e-8), and sums are taken in another order. On
     * SmolLM2-135M with an adapter on all linear layers 4e-6 is measured, so this finds mistakes, not rounding.
     */
    public static final double F32_TOLERANCE = 1e-3;
    /** Text for adapters without one of their own kind. */
    public static final List<String> SAMPLE_TEXTS = List.of(
            "The notice period is 90 days, and exceptions may apply if the manager approves them.",
            "What is the capital of France, and which river runs through it?",
            "def mean(values):\n    return sum(values) / len(values)\n",
            "1. First, read the handbook.\n2. Then ask your team.\n3. Write down what you have learned.");

    /** Refuses an empty sample. */
    public MergeCheck {
        texts = List.copyOf(texts);
        if (texts.isEmpty() || !(tolerance > 0)) {
            throw new ConfigurationException("a merge check needs at least one text and a tolerance above 0");
        }
    }

    /** A check on the built-in texts with {@link #F32_TOLERANCE}. */
    public static MergeCheck defaults() {
        return new MergeCheck(SAMPLE_TEXTS, F32_TOLERANCE);
    }

    /** The token ids of the texts; what is longer than the model can read is cut. */
    public List<int[]> sequences(LanguageModel model) {
        int limit = model.network().description().maxPositions();
        List<int[]> all = texts.stream().map(text -> model.tokenizer().encodeWithSpecials(text))
                .filter(ids -> ids.length > 0)
                .map(ids -> ids.length <= limit ? ids : java.util.Arrays.copyOf(ids, limit)).toList();
        if (all.isEmpty()) {
            throw new ConfigurationException("the texts of the merge check have no tokens");
        }
        return all;
    }

    /** Merges the active adapters; where the logits change too much, merges back and refuses. */
    LogitDifference merge(PeftModel model) {
        List<int[]> sequences = sequences(model);
        List<float[]> before = LogitDifference.logits(model, sequences);
        model.merge();
        try (Closer merged = new Closer()) {
            merged.add(model::unmerge);
            LogitDifference difference = LogitDifference.between(before, LogitDifference.logits(model, sequences),
                    LogitDifference.columns(model, before));
            require(difference, "the merged model");
            merged.keep();
            return difference;
        }
    }

    /**
     * Refuses a difference beyond the tolerance.
     *
     * @param what what was compared, as the beginning of a sentence
     * @throws ConfigurationException when it is, or is not a number
     */
    public void require(LogitDifference difference, String what) {
        if (!(difference.relative() <= tolerance)) {
            throw new ConfigurationException(what + " does not agree with base and adapter: " + difference
                    + String.format(Locale.ROOT, "; the tolerance is %.2g. Use a wider type, or keep the adapter "
                            + "separate", tolerance));
        }
    }
}
