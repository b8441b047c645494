package io.peft4j.train;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The negative log-likelihoods of any number of sequences with bounded memory: sequences are collected to batches of a
 * limited number of tokens, and each result is handed on as soon as it is there, in the order of the sequences.
 */
public final class SequenceScorer implements AutoCloseable {
    private static final int TOKENS_PER_BATCH = 2048;

    private final CausalLmObjective objective;
    private final Consumer<Score> action;
    private final List<TokenSequence> batch = new ArrayList<>();
    private int tokens;

    /**
     * The score of a sequence.
     *
     * @param nll sum of the negative log-likelihoods of its supervised tokens, weights not applied
     * @param tokens number of supervised tokens
     */
    public record Score(double nll, int tokens) {
    }

    /**
     * A scorer for {@code model} with the layers that are active in it.
     *
     * @param action told of each score
     */
    public SequenceScorer(LanguageModel model, Consumer<Score> action) {
        this.objective = new CausalLmObjective(model);
        this.action = Objects.requireNonNull(action, "action");
    }

    /** Takes a sequence; scores what has been collected when it fills a batch. */
    public void add(TokenSequence sequence) {
        if (tokens + sequence.length() > TOKENS_PER_BATCH) {
            flush();
        }
        batch.add(sequence);
        tokens += sequence.length();
    }

    /** Scores what has been collected. To be called after the last sequence. */
    public void flush() {
        if (batch.isEmpty()) {
            return;
        }
        double[] sums = objective.negativeLogLikelihoods(PackedBatch.of(batch));
        for (int i = 0; i < sums.length; i++) {
            action.accept(new Score(sums[i], batch.get(i).supervisedTokens()));
        }
        batch.clear();
        tokens = 0;
    }

    /** Frees the temporaries' memory; what has been collected and not scored is dropped. */
    @Override
    public void close() {
        objective.close();
    }
}
