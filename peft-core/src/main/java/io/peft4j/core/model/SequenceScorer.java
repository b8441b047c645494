package io.peft4j.core.model;

import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The negative log-likelihoods of any number of sequences with bounded memory: sequences are collected to batches of a
 * limited number of tokens, in which beginnings that several have in common are computed once, and each result is
 * handed on as soon as it is there, in the order of the sequences. All are scored by the model as it was when the
 * scorer was made.
 */
public final class SequenceScorer implements AutoCloseable {
    private static final int TOKENS_PER_BATCH = 2048;

    private final ModelLease model;
    private final Workspace workspace;
    private final Closer owned;
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
     * A scorer for {@code model} with the layers that are active in it now.
     *
     * @param action told of each score
     */
    public SequenceScorer(Model model, Consumer<Score> action) {
        this.action = Objects.requireNonNull(action, "action");
        try (Closer opened = new Closer()) {
            this.model = opened.add(model.lease());
            this.workspace = opened.add(model.engine().workspace(Priority.WORK));
            this.owned = opened.keep();
        }
    }

    /**
     * Scores some sequences.
     *
     * @return the negative log-likelihood of each one's supervised tokens, in their order
     * @throws ConfigurationException as {@link #add}
     */
    public static double[] negativeLogLikelihoods(Model model, List<TokenSequence> sequences) {
        List<Double> sums = new ArrayList<>(sequences.size());
        try (SequenceScorer scorer = new SequenceScorer(model, score -> sums.add(score.nll()))) {
            sequences.forEach(scorer::add);
            scorer.flush();
        }
        return sums.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /**
     * Takes a sequence; scores what has been collected when it fills a batch.
     *
     * @throws ConfigurationException when the sequence is longer than the model can read
     */
    public void add(TokenSequence sequence) {
        if (sequence.length() > model.maxPositions()) {
            throw new ConfigurationException("a text has " + sequence.length() + " tokens, more than the "
                    + model.maxPositions() + " that " + model.network().description().name() + " can read");
        }
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
        double[] sums;
        try (Pass pass = Pass.evaluation(model, workspace, model.network().pack(batch))) {
            sums = pass.sequenceNegativeLogLikelihoods();
        }
        for (int i = 0; i < sums.length; i++) {
            action.accept(new Score(sums[i], batch.get(i).supervisedTokens()));
        }
        batch.clear();
        tokens = 0;
    }

    /** Frees the memory of temporaries; what has been collected and not scored is dropped. */
    @Override
    public void close() {
        owned.close();
    }
}
