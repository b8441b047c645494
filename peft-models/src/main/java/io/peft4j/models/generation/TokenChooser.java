package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Sampling;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Chooses the tokens of one answer: bias, penalties for what prompt and answer have already, then the constraint on the
 * text, then {@link TokenSampler}.
 */
final class TokenChooser {
    private final Sampling sampling;
    private final TokenSampler sampler;
    private final Set<Integer> stopTokens;
    private final Optional<TokenMasks> masks;
    /** How often the answer has each token; a token of the prompt alone is there with 0. */
    private final Map<Integer, Integer> counts = new HashMap<>();
    private int state;
    private boolean first = true;
    /** What may come next, where it has been found. */
    private volatile Optional<BitSet> allowed = Optional.empty();

    /**
     * A chooser for an answer.
     *
     * @param answer index of the answer, for its draws
     */
    TokenChooser(Sampling sampling, int answer, int[] prompt, Set<Integer> stopTokens, Optional<TokenMasks> masks) {
        this.sampling = sampling;
        this.sampler = new TokenSampler(sampling, answer);
        this.stopTokens = stopTokens;
        this.masks = masks;
        this.state = masks.map(m -> m.constraint().start()).orElse(0);
        if (sampling.repetitionPenalty() != 1) {
            for (int token : prompt) {
                counts.put(token, 0);
            }
        }
    }

    /**
     * The next token of the answer.
     *
     * @throws ConfigurationException when the constraint allows none that the vocabulary has
     */
    int choose(Logits logits) {
        int token;
        if (masks.isEmpty() && sampling.isWithoutPenalties()) {
            token = sampling.isGreedy() ? logits.mostLikely() : sampler.draw(logits.finite());
        } else {
            float[] values = logits.finite();
            sampling.logitBias().forEach((id, bias) -> add(bias, id, values));
            punish(values);
            masks.ifPresent(allowing -> mask(values, allowing));
            token = sampling.isGreedy() ? Logits.mostLikely(values) : sampler.draw(values);
        }
        accept(token);
        return token;
    }

    /** Whether {@link #choose} need not look for what the constraint allows next. */
    boolean isReady() {
        if (masks.isPresent() && allowed.isEmpty()) {
            allowed = masks.get().known(state, first);
        }
        return masks.isEmpty() || allowed.isPresent();
    }

    /**
     * Looks for what the constraint allows next, on any thread while no other chooses.
     *
     * @param wanted whether to go on with it
     */
    void prepare(BooleanSupplier wanted) {
        if (masks.isPresent()) {
            allowed = masks.get().find(state, first, wanted);
        }
    }

    /** Whether the constraint is fulfilled and allows nothing more. */
    boolean isComplete() {
        return masks.isPresent() && masks.get().constraint().mayEnd(state)
                && !masks.get().constraint().mayGoOn(state);
    }

    private void accept(int token) {
        if (!sampling.isWithoutPenalties()) {
            counts.merge(token, 1, Integer::sum);
        }
        if (masks.isPresent() && !stopTokens.contains(token)) {
            state = masks.get().after(state, token, first);
        }
        first = false;
        allowed = Optional.empty();
    }

    private static void add(double bias, int token, float... values) {
        if (token >= values.length) {
            throw new ConfigurationException("logitBias has token " + token + ", but the vocabulary has "
                    + values.length);
        }
        values[token] += (float) bias;
    }

    private void punish(float... values) {
        counts.forEach((token, count) -> {
            float value = values[token];
            double repeated = value > 0 ? value / sampling.repetitionPenalty() : value * sampling.repetitionPenalty();
            values[token] = (float) (repeated - sampling.frequencyPenalty() * count
                    - (count > 0 ? sampling.presencePenalty() : 0));
        });
    }

    private void mask(float[] values, TokenMasks allowing) {
        BitSet next = allowed.orElseGet(() -> allowing.allowed(state, first));
        boolean mayEnd = allowing.constraint().mayEnd(state) && !stopTokens.isEmpty();
        if (next.isEmpty() && !mayEnd) {
            throw new ConfigurationException("no token of the vocabulary continues a text that "
                    + allowing.constraint().description() + " allows");
        }
        Map<Integer, Float> stops = new HashMap<>();
        stopTokens.stream().filter(token -> mayEnd && token < values.length)
                .forEach(token -> stops.put(token, values[token]));
        for (int token = 0; token < values.length; token++) {
            if (!next.get(token)) {
                values[token] = Float.NEGATIVE_INFINITY;
            }
        }
        stopTokens.stream().filter(token -> token < values.length)
                .forEach(token -> values[token] = stops.getOrDefault(token, Float.NEGATIVE_INFINITY));
    }
}
