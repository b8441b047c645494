package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.TokenStreamDecoder;
import io.peft4j.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * One answer while it grows. Text goes to the listener as soon as its characters are complete; where texts end an
 * answer, as much is held back as could be the beginning of one.
 */
final class GrowingAnswer {
    private static final int[] NOTHING = {};

    private final int index;
    private final int[] promptTokens;
    private final Tokenizer tokenizer;
    /** Special tokens that are part of the text. */
    private final Set<Integer> marks;
    private final Set<Integer> stopTokens;
    private final GenerationOptions options;
    private final TokenChooser chooser;
    private final List<TokenProbability> probabilities = new ArrayList<>();
    private final TokenStreamDecoder stream;
    private final int longestStop;
    private final Optional<PromptLookup> lookup;
    private final StringBuilder text = new StringBuilder();
    private final int[] ids;
    private int length;
    private int told;
    private int[] tried = NOTHING;
    /** Index of the token whose logits come next; negative when they follow one that was not chosen. */
    private int atTried;
    private Optional<StopReason> stopped = Optional.empty();

    /**
     * An answer without tokens.
     *
     * @param index its index among all answers
     * @param promptTokens the prompt
     * @param marks special tokens that are part of the text
     */
    GrowingAnswer(int index, int[] promptTokens, Tokenizer tokenizer, Set<Integer> stopTokens,
            Set<Integer> marks, Optional<TokenMasks> masks,
            GenerationOptions options, int maxNewTokens) {
        this.index = index;
        this.promptTokens = promptTokens;
        this.tokenizer = tokenizer;
        this.stopTokens = stopTokens;
        this.marks = marks;
        this.options = options;
        this.chooser = new TokenChooser(options.sampling(), index, promptTokens, stopTokens, masks);
        this.stream = tokenizer.streamDecoder(true);
        this.lookup = options.promptLookup() > 0 ? Optional.of(new PromptLookup(promptTokens)) : Optional.empty();
        this.longestStop = options.stopStrings().stream().mapToInt(String::length).max().orElse(0);
        this.ids = new int[maxNewTokens];
    }

    boolean isRunning() {
        return stopped.isEmpty();
    }

    boolean isCancelled() {
        return stopped.equals(Optional.of(StopReason.CANCELLED));
    }

    int length() {
        return length;
    }

    /** The most tokens that it may have. */
    int most() {
        return ids.length;
    }

    /** Token number {@code i} of the answer. */
    int token(int i) {
        return ids[i];
    }

    /** How likely its tokens are, where that is asked for: a list that grows. */
    List<TokenProbability> probabilities() {
        return probabilities;
    }

    private int lastToken() {
        return ids[length - 1];
    }

    int index() {
        return index;
    }

    /** The last token, and those that may follow it: {@link #next} is called with the logits after each of them. */
    int[] tokensToTry() {
        return tokensToTry(options.promptLookup());
    }

    /** As {@link #tokensToTry()}, with at most {@code most} tokens that may follow. */
    int[] tokensToTry(int most) {
        int[] guess = lookup.map(l -> l.guess(Math.min(most, ids.length - length - 1)))
                .orElse(NOTHING);
        tried = new int[guess.length + 1];
        tried[0] = lastToken();
        System.arraycopy(guess, 0, tried, 1, guess.length);
        atTried = 0;
        return tried;
    }

    /**
     * Chooses the next token and decides whether the answer ends with it. Logits that follow a token which was tried,
     * but is not the one chosen, are of no use and ignored.
     */
    void next(Logits logits) {
        if (!isRunning() || atTried < 0) {
            return;
        }
        choose(logits);
        atTried++;
        if (atTried < tried.length && tried[atTried] != lastToken()) {
            atTried = -1;
        }
    }

    private void choose(Logits logits) {
        int id = chooser.choose(logits);
        options.logProbabilities().ifPresent(most -> probabilities.add(logits.probability(id, most, this::textOf)));
        ids[length++] = id;
        lookup.ifPresent(l -> l.add(id));
        if (stopTokens.contains(id)) {
            finish(StopReason.STOP_TOKEN);
            return;
        }
        // Rows of the embedding beyond the tokenizer's vocabulary have no text.
        if (marks.contains(id)) {
            text.append(stream.finish()).append(textOf(id));
        } else {
            text.append(id < tokenizer.vocabSize() ? stream.accept(id) : "");
        }
        if (cutAtStopString() || chooser.isComplete()) {
            finish(StopReason.STOP_TOKEN);
        } else if (length == ids.length) {
            text.append(stream.finish());
            finish(StopReason.LENGTH);
        } else {
            tell(text.length() - Math.max(0, longestStop - 1));
        }
    }

    /** Whether the next token can be chosen without a search for what its constraint allows. */
    boolean isReady() {
        return chooser.isReady();
    }

    /** Searches for what its constraint allows next, as long as that is wanted, on another thread than the answer's. */
    void prepare(BooleanSupplier wanted) {
        chooser.prepare(wanted);
    }

    void cancel() {
        if (isRunning()) {
            stopped = Optional.of(StopReason.CANCELLED);
        }
    }

    Completion completion() {
        String all = text.toString();
        return new Completion(all, Arrays.copyOf(ids, length), stopped.orElseThrow(),
                options.constraint().map(c -> follows(c, all)).orElse(true), promptTokens.length, probabilities);
    }

    private static boolean follows(TextConstraint constraint, String text) {
        try {
            return constraint.allows(text);
        } catch (ConfigurationException | OutOfMemoryError | StackOverflowError e) {
            // It is too complex there, where no token of the answer has led, or fails.
            return false;
        }
    }

    private String textOf(int id) {
        return id < tokenizer.vocabSize() ? tokenizer.decode(new int[] {id}, false) : "";
    }

    private void finish(StopReason reason) {
        stopped = Optional.of(reason);
        tell(text.length());
    }

    private void tell(int end) {
        String piece = end > told ? text.substring(told, end) : "";
        told = Math.max(told, end);
        if (!options.listener().onText(index, piece)) {
            stopped = Optional.of(StopReason.CANCELLED);
        }
    }

    private boolean cutAtStopString() {
        int cut = options.stopStrings().stream().mapToInt(s -> text.indexOf(s, Math.max(0, told - s.length())))
                .filter(i -> i >= 0).min().orElse(-1);
        if (cut >= 0) {
            text.setLength(cut);
        }
        return cut >= 0;
    }

    /**
     * Guesses how a sequence continues: as it went on where its last tokens stood before (prompt lookup decoding).
     * Longer agreements come first, of equally long ones the latest.
     */
    static final class PromptLookup {
        private static final int LONGEST = 3;
        private static final int SHORTEST = 2;

        private int[] tokens;
        private int length;

        /** A sequence that begins with a prompt. */
        PromptLookup(int[] prompt) {
            tokens = Arrays.copyOf(prompt, prompt.length + 64);
            length = prompt.length;
        }

        /** Takes the next token. */
        void add(int token) {
            if (length == tokens.length) {
                tokens = Arrays.copyOf(tokens, 2 * length);
            }
            tokens[length++] = token;
        }

        /** At most {@code most} tokens that may follow; none where the last tokens are new. */
        int[] guess(int most) {
            for (int n = LONGEST; n >= SHORTEST && most > 0; n--) {
                for (int end = length - 1; end >= n; end--) {
                    if (Arrays.equals(tokens, end - n, end, tokens, Math.max(0, length - n), length)) {
                        return Arrays.copyOfRange(tokens, end, Math.min(length, end + most));
                    }
                }
            }
            return new int[0];
        }
    }

    /**
     * Chooses the tokens of one answer: bias, penalties for what prompt and answer have already, then the constraint on
     * the text, then {@link TokenSampler}.
     */
    static final class TokenChooser {
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
                double repeated = value > 0 ? value / sampling.repetitionPenalty()
                        : value * sampling.repetitionPenalty();
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
            // What ends a call may be a mark of its form and end the answer, too.
            stopTokens.stream().filter(token -> (mayEnd || next.get(token)) && token < values.length)
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
}
