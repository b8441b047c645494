package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checked sequences of which each has something to learn.
 *
 * @param sequences at least one
 * @param leftOut number of sequences without a supervised token
 */
record TrainingSet(List<TokenSequence> sequences, int leftOut) {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingSet.class);
    private static final int LISTED = 10;

    /**
     * Checks sequences, and leaves out those without a supervised token.
     *
     * @param kind what they are for, in messages: training or validation
     * @param limit the model's limit of tokens
     * @throws ConfigurationException when a sequence is too long or has an invalid weight, or nothing can be
     * learned
     */
    static TrainingSet of(List<TokenSequence> sequences, String kind, int limit) {
        if (sequences.isEmpty()) {
            throw new ConfigurationException("no " + kind + " examples given");
        }
        List<TokenSequence> supervised = new ArrayList<>();
        List<Integer> leftOut = new ArrayList<>();
        for (int i = 0; i < sequences.size(); i++) {
            TokenSequence sequence = sequences.get(i);
            check(sequence, kind + " example " + (i + 1), limit);
            if (sequence.supervisedTokens() > 0) {
                supervised.add(sequence);
            } else {
                leftOut.add(i + 1);
            }
        }
        if (supervised.isEmpty()) {
            throw new ConfigurationException("none of the " + sequences.size() + " " + kind + " examples has "
                    + "supervised tokens, so there is no loss to train on; check the roles and weights of the "
                    + "messages and the "
                    + "chat template");
        }
        if (!leftOut.isEmpty()) {
            LOG.warn("{} of {} {} examples have no supervised token and are left out: {}{}", leftOut.size(),
                    sequences.size(), kind, leftOut.subList(0, Math.min(LISTED, leftOut.size())),
                    leftOut.size() > LISTED ? " and others" : "");
        }
        return new TrainingSet(List.copyOf(supervised), leftOut.size());
    }

    private static void check(TokenSequence sequence, String name, int limit) {
        if (sequence.length() > limit) {
            throw new ConfigurationException(name + " has " + sequence.length() + " tokens; the model's limit is "
                    + limit + ". Shorten it or leave it out");
        }
        for (float weight : sequence.weights()) {
            if (!(weight >= 0 && weight < Float.POSITIVE_INFINITY)) {
                throw new ConfigurationException(name + " has a token of weight " + weight
                        + "; a weight is 0 or more, and finite");
            }
        }
    }

    /** The number of tokens. */
    long tokens() {
        return sequences.stream().mapToLong(TokenSequence::length).sum();
    }

    /** The number of supervised tokens. */
    long supervisedTokens() {
        return sequences.stream().mapToLong(TokenSequence::supervisedTokens).sum();
    }

    /** The sum of the weights of predicted tokens: what the sum of losses is divided by. */
    static double weight(List<TokenSequence> sequences) {
        double sum = 0;
        for (TokenSequence sequence : sequences) {
            for (int i = 1; i < sequence.length(); i++) {
                sum += sequence.weights()[i];
            }
        }
        return sum;
    }
}
