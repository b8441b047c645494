package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.data.Masking;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Optimizer;
import io.peft4j.train.plan.AutoNumber;
import io.peft4j.train.plan.Hyperparameters;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a training is asked for, whatever model and data it is for:
 *
 * <pre>{@code
 * TrainingOptions options = TrainingOptions.builder().epochs(3).learningRate(1e-3).earlyStopping(2, 0).build();
 * Trainer.builder(model).options(options).build().train(examples);
 * }</pre>
 *
 * <p>What each value means, its range and its default is said where it is set, in {@link Setters}. Numbers that are
 * empty are chosen by rules when the examples are known ({@link io.peft4j.train.plan.HyperparameterRules}): from the
 * data, the model, the method and the objective, so that the same training is the same on every machine.
 */
public record TrainingOptions(OptionalInt epochs, OptionalInt batchSize, OptionalInt gradientAccumulation,
        OptionalDouble learningRate, LearningRateSchedule schedule, OptionalInt warmupSteps, double weightDecay,
        double maxGradNorm, long seed, boolean shuffle, PackOptions.Strategy packing, int packTokens,
        boolean sharePrefixes, boolean recompute, Optimizer optimizer, List<ParameterGroup> parameterGroups,
        double neftuneAlpha, double labelSmoothing, long maxSteps, long evaluateEverySteps, int patience,
        double threshold, boolean keepBest, Optional<Duration> timeBudget, UpdateRule updateRule,
        OptionalInt maxLength, Masking masking, OptionalDouble learnedShare) {
    /** Examples of a batch if neither the user nor a rule says how many. */
    static final int USUAL_BATCH = 8;
    /** What the rules choose is about as large; a weight decay is held against it until they have chosen. */
    private static final double USUAL_LEARNING_RATE = 1e-3;
    private static final double HIGHEST_LEARNING_RATE = 1;
    private static final TrainingOptions DEFAULTS = new TrainingOptions(OptionalInt.empty(), OptionalInt.empty(),
            OptionalInt.empty(), OptionalDouble.empty(), LearningRateSchedule.DEFAULT, OptionalInt.empty(), 0, 1, 0,
            true, PackOptions.Strategy.IN_ORDER, 0, true, false, AdamW.DEFAULT, List.of(), 0, 0, 0, 0, 0, 0, false,
            Optional.empty(), UpdateRule.PLAIN, OptionalInt.empty(), Masking.ASSISTANT,
            OptionalDouble.empty());

    /**
     * Checks the ranges. What goes with a number that is given is not chosen any more: with a batch size no gradients
     * are accumulated, and with a learning rate there is no warm-up.
     *
     * @throws ConfigurationException when a value is out of range or contradicts another
     */
    public TrainingOptions {
        parameterGroups = List.copyOf(parameterGroups);
        batchSize = batchSize.isEmpty() && packTokens > 0 ? OptionalInt.of(USUAL_BATCH) : batchSize;
        gradientAccumulation = gradientAccumulation.isEmpty() && batchSize.isPresent() ? OptionalInt.of(1)
                : gradientAccumulation;
        warmupSteps = warmupSteps.isEmpty() && learningRate.isPresent() ? OptionalInt.of(0) : warmupSteps;
        learnedShare = learnedShare.isEmpty() && (epochs.isPresent() || !schedule.isStable()) ? OptionalDouble.of(0)
                : learnedShare;
        double rate = learningRate.orElse(HIGHEST_LEARNING_RATE);
        require(epochs.orElse(1) >= 1, "number of epochs", epochs, "at least 1");
        require(batchSize.orElse(1) >= 1, "batch size", batchSize, "at least 1");
        require(gradientAccumulation.orElse(1) >= 1, "gradient accumulation", gradientAccumulation, "at least 1");
        require(rate > 0 && rate <= HIGHEST_LEARNING_RATE, "learning rate", rate,
                "above 0 and at most " + HIGHEST_LEARNING_RATE + ", since an update of AdamW moves each value by about "
                        + "that much; 1e-4 to 1e-2 is usual");
        require(warmupSteps.orElse(0) >= 0, "warm-up steps", warmupSteps, "0 or more");
        require(weightDecay >= 0 && weightDecay * learningRate.orElse(USUAL_LEARNING_RATE) < 1, "weight decay",
                weightDecay,
                "0 or more, and less than 1 by the learning rate, with which values would go to 0 in one update");
        require(maxGradNorm >= 0, "maximal gradient norm", maxGradNorm, "0 (no clipping) or more");
        require(packTokens >= 0, "number of tokens of a batch", packTokens, "0 (the batch size decides) or more");
        // The number of batches of an epoch would depend on its order, and with it where the schedule ends.
        require(packTokens == 0 || packing != PackOptions.Strategy.IN_ORDER, "packing", packing,
                "another one where batches hold a number of tokens");
        require(neftuneAlpha >= 0 && Double.isFinite(neftuneAlpha), "alpha of NEFTune", neftuneAlpha,
                "0 (no noise) or more");
        require(labelSmoothing >= 0 && labelSmoothing < 1, "label smoothing", labelSmoothing,
                "from 0 (none) to below 1");
        require(maxSteps >= 0, "number of steps", maxSteps, "0 (as many as the epochs have) or more");
        require(evaluateEverySteps >= 0, "number of steps between evaluations", evaluateEverySteps,
                "0 (after each epoch) or more");
        require(patience >= 0, "patience", patience, "0 (never stop early) or more");
        require(threshold >= 0 && Double.isFinite(threshold), "threshold of early stopping", threshold, "0 or more");
        require(threshold == 0 || patience > 0, "threshold of early stopping", threshold, "0 without a patience");
        require(timeBudget.filter(time -> time.isNegative() || time.isZero()).isEmpty(), "time budget",
                timeBudget.map(Duration::toString).orElse(""), "more than no time");
        double share = learnedShare.orElse(0);
        require(share >= 0 && share <= 1 && (share == 0 || schedule.isStable()), "learned share", share,
                schedule.isStable() ? "from 0 (the epochs decide) to 1" : "0 with the schedule " + schedule
                        + ", whose end must be known from the beginning");
        require(maxLength.orElse(1) >= 1, "max length", maxLength, "at least 1");
    }

    private static void require(boolean ok, String name, Object value, String allowed) {
        if (!ok) {
            throw new ConfigurationException("the " + name + " is " + (value instanceof OptionalInt number
                    ? number.getAsInt() : value) + "; it must be " + allowed);
        }
    }

    /** The defaults: epochs, batch size and learning rate are chosen by rules. */
    public static TrainingOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Numbers with which nothing is left to rules, and the defaults of all others.
     *
     * @throws ConfigurationException when one is out of range
     */
    public static TrainingOptions of(int epochs, int batchSize, double learningRate) {
        return builder().epochs(epochs).batchSize(batchSize).learningRate(learningRate).build();
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these values. */
    public Builder toBuilder() {
        return builder().options(this);
    }

    /** The names of the options that {@link Setters#option} can set, such as {@code learning_rate}. */
    public static Set<String> names() {
        return RecordValues.names(TrainingOptions.class);
    }

    /**
     * Those that decide the course of a training, by the names that its checkpoints have; {@code auto} for what rules
     * choose. What came later is named only where it is not at its default, so that older checkpoints stay good.
     */
    public Map<String, String> settings() {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("epochs", word(epochs));
        values.put("batch_size", word(batchSize));
        values.put("gradient_accumulation", word(gradientAccumulation));
        values.put("learning_rate", learningRate.isEmpty() ? AutoNumber.AUTO
                : String.valueOf(learningRate.getAsDouble()));
        values.put("schedule", String.valueOf(schedule));
        values.put("warmup_steps", word(warmupSteps));
        values.put("weight_decay", String.valueOf(weightDecay));
        values.put("max_grad_norm", String.valueOf(maxGradNorm));
        values.put("seed", String.valueOf(seed));
        values.put("shuffle", String.valueOf(shuffle));
        values.put("packing", String.valueOf(packing));
        values.put("pack_tokens", String.valueOf(packTokens));
        values.put("share_prefixes", String.valueOf(sharePrefixes));
        values.put("optimizer", optimizer.toString());
        changed(values, "parameter_groups", parameterGroups, DEFAULTS.parameterGroups);
        changed(values, "neftune_alpha", neftuneAlpha, DEFAULTS.neftuneAlpha);
        changed(values, "label_smoothing", labelSmoothing, DEFAULTS.labelSmoothing);
        changed(values, "max_steps", maxSteps, DEFAULTS.maxSteps);
        changed(values, "evaluate_every_steps", evaluateEverySteps, DEFAULTS.evaluateEverySteps);
        if (patience > 0) {
            values.put("early_stopping", patience + " without " + threshold);
        }
        changed(values, "keep_best", keepBest, DEFAULTS.keepBest);
        values.put("update_rule", updateRule.describe());
        if (learnedShare.orElse(1) > 0) {
            values.put("learned_share", learnedShare.isEmpty() ? AutoNumber.AUTO
                    : String.valueOf(learnedShare.getAsDouble()));
        }
        return values;
    }

    private static String word(OptionalInt value) {
        return value.isEmpty() ? AutoNumber.AUTO : String.valueOf(value.getAsInt());
    }

    private static void changed(Map<String, String> values, String name, Object value, Object usual) {
        if (!value.equals(usual)) {
            values.put(name, value.toString());
        }
    }

    /** The settings that are not at their defaults. */
    @Override
    public String toString() {
        Map<String, String> values = settings();
        values.entrySet().removeAll(DEFAULTS.settings().entrySet());
        return values.toString();
    }

    /** Builds options by themselves. */
    public static final class Builder extends Setters<Builder> {
        private Builder() {
        }

        /**
         * The options.
         *
         * @throws ConfigurationException when one is out of range or contradicts another
         */
        public TrainingOptions build() {
            return chosen();
        }
    }

    /**
     * Sets the options of a training, here and in {@link TrainerBuilder}.
     *
     * @param <B> the builder
     */
    public abstract static class Setters<B> {
        private final RecordValues<TrainingOptions> values = new RecordValues<>(DEFAULTS);

        Setters() {
        }

        /** The options as they are set; fails where one is out of range. */
        final TrainingOptions chosen() {
            return values.make();
        }

        @SuppressWarnings("unchecked")
        final B set(String component, Object value) {
            values.set(component, value);
            return (B) this;
        }

        /** All options at once. */
        @SuppressWarnings("unchecked")
        public B options(TrainingOptions value) {
            values.take(value);
            return (B) this;
        }

        /**
         * An option by a word, for what is read from files.
         *
         * @param name one of {@link TrainingOptions#names}
         * @throws ConfigurationException when the word is no value of it
         */
        @SuppressWarnings("unchecked")
        public B option(String name, String word) {
            values.read(name, word);
            return (B) this;
        }

        /** What was chosen by rules: batch size, gradient accumulation, epochs, learning rate and warm-up. */
        public B hyperparameters(Hyperparameters chosen) {
            batchSize(chosen.batchSize());
            gradientAccumulation(chosen.gradientAccumulation());
            epochs(chosen.epochs());
            learnedShare(chosen.learnedShare());
            learningRate(chosen.learningRate());
            return warmupSteps(chosen.warmupSteps());
        }

        /**
         * Ends the training when it has learned, with {@link #epochs} and {@link #maxSteps} as the most it takes: the
         * rate stays until this share of the rows was right when each was seen last, or neither their number nor their
         * loss became better in two epochs, and falls then as the {@link #schedule} does at its end. Validation data
         * decide instead where there are some, by their accuracy or loss. 0: the epochs are as many as are given.
         * Default: 0 where the epochs are given, else chosen by rules.
         */
        public B learnedShare(double share) {
            return set("learnedShare", OptionalDouble.of(share));
        }

        /** Passes over the data, at least 1; chosen by rules where not set. */
        public B epochs(int value) {
            return set("epochs", OptionalInt.of(value));
        }

        /** Examples in a forward pass, at least 1; chosen by rules where not set. */
        public B batchSize(int value) {
            return set("batchSize", OptionalInt.of(value));
        }

        /** Forward passes in an update, at least 1; default 1, chosen with the batch size where that is not set. */
        public B gradientAccumulation(int value) {
            return set("gradientAccumulation", OptionalInt.of(value));
        }

        /** The highest learning rate, above 0 and at most 1; chosen by rules where not set. */
        public B learningRate(double value) {
            return set("learningRate", OptionalDouble.of(value));
        }

        /** How the learning rate falls after the warm-up; default {@link LearningRateSchedule#DEFAULT}. */
        public B schedule(LearningRateSchedule value) {
            return set("schedule", value);
        }

        /** Updates over which the learning rate rises from 0; default 0, chosen with the rate where that is not set. */
        public B warmupSteps(int value) {
            return set("warmupSteps", OptionalInt.of(value));
        }

        /** Decoupled weight decay, as in AdamW; default 0. */
        public B weightDecay(double value) {
            return set("weightDecay", value);
        }

        /** The norm that all gradients together are clipped to; 0 means never; default 1. */
        public B maxGradNorm(double value) {
            return set("maxGradNorm", value);
        }

        /** Seed of order and dropout; default 0. */
        public B seed(long value) {
            return set("seed", value);
        }

        /** Whether each epoch has an order of its own, drawn from the seed; default true. */
        public B shuffle(boolean value) {
            return set("shuffle", value);
        }

        /** Whether a beginning that examples of a batch share is computed once; default true. */
        public B sharePrefixes(boolean value) {
            return set("sharePrefixes", value);
        }

        /**
         * Which examples come into a batch together. All but {@link PackOptions.Strategy#IN_ORDER} save time or memory
         * and make batches less alike to random ones. Default: {@link PackOptions.Strategy#IN_ORDER}.
         */
        public B packing(PackOptions.Strategy value) {
            return set("packing", value);
        }

        /**
         * The most tokens in a batch, which then holds as many examples as fit, whatever {@link #batchSize} is; shared
         * beginnings count once. Default: 0, no limit.
         */
        public B packTokens(int value) {
            return set("packTokens", value);
        }

        /**
         * Whether of each decoder layer only the input is kept for the gradients, and the layer runs a second time when
         * they are due: less memory, a third to a half more time, the same numbers. Default: false, where only layers
         * of a long batch do so: those that begin when the values kept take 1.7 times the size of the weights in the
         * activations' type, and at least 256 MB, already.
         */
        public B recompute(boolean value) {
            return set("recompute", value);
        }

        /** How gradients become updates; default {@link AdamW#DEFAULT}. */
        public B optimizer(Optimizer value) {
            return set("optimizer", value);
        }

        /** Parameters with a learning rate or a weight decay of their own; may be called more than once. */
        public B parameterGroup(ParameterGroup group) {
            return set("parameterGroups", Stream.concat(((List<?>) values.get("parameterGroups")).stream(),
                    Stream.of(group)).toList());
        }

        /**
         * Noise on the embeddings of tokens in training (NEFTune, <a
         * href="https://arxiv.org/abs/2310.05914">2310.05914</a>): to each value of a sequence of L tokens is added a
         * number that is uniform between {@code -a} and {@code a}, {@code a = alpha / sqrt(L H)}; 5 is usual.
         * Beginnings that sequences have in common are not shared then, since each has noise of its own. Default: 0,
         * none.
         */
        public B neftuneAlpha(double alpha) {
            return set("neftuneAlpha", alpha);
        }

        /**
         * Share of the target that is spread over all tokens, as PyTorch's {@code label_smoothing}: the training loss
         * is {@code (1 - e) nll + e mean over the vocabulary of -log p}. For next-token prediction; validation losses
         * stay the plain negative log-likelihood. Default: 0, none.
         */
        public B labelSmoothing(double share) {
            return set("labelSmoothing", share);
        }

        /**
         * Updates in all, instead of those that the epochs make up: the schedule ends with them, and the data come
         * again where they are more. Default: 0, which means that the epochs decide.
         */
        public B maxSteps(long steps) {
            return set("maxSteps", steps);
        }

        /**
         * Updates between two measurements on the validation data; default 0, which means after each epoch. There is
         * always one before the first update and one after the last.
         */
        public B evaluateEverySteps(long steps) {
            return set("evaluateEverySteps", steps);
        }

        /**
         * Ends the training early, and leaves the best adapter. Default: never.
         *
         * @param patience number of measurements in a row without an improvement, after which it ends
         * @param threshold by how much the loss must be lower than the best one to count as an improvement
         */
        public B earlyStopping(int patience, double threshold) {
            set("patience", patience);
            set("threshold", threshold);
            return keepBest(true);
        }

        /** Whether the adapter with the lowest loss on the validation data is left, not the last one; default false. */
        public B keepBest(boolean value) {
            return set("keepBest", value);
        }

        /**
         * The training ends, and saves, before the update that would exceed this time, counted from its beginning or
         * resumption; default: none.
         */
        public B timeBudget(Duration time) {
            return set("timeBudget", Optional.of(time));
        }

        /** How updates differ by parameter; default {@link UpdateRule#PLAIN}. */
        public B updateRule(UpdateRule value) {
            return set("updateRule", value);
        }

        /** The most tokens of a conversation: longer ones are left out. Default: the model's limit. */
        public B maxLength(int tokens) {
            return set("maxLength", OptionalInt.of(tokens));
        }

        /** Which tokens of a conversation are learned; default {@link Masking#ASSISTANT}. */
        public B masking(Masking value) {
            return set("masking", value);
        }
    }
}
