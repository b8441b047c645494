package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.data.Masking;
import io.peft4j.data.pack.PackOptions;
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
 * <p>What each value means, its range and its default is declared at the component: builders, the command line, jobs
 * and sweeps read that. Numbers that are empty are chosen by rules when the examples are known
 * ({@link io.peft4j.train.plan.HyperparameterRules}): from the data, the model, the method and the objective, so that
 * the same training is the same on every machine.
 *
 * @param sharePrefixes Whether a beginning that examples of a batch share is computed once; default true
 * @param packing Which examples come into a batch together. All but {@link PackOptions.Strategy#IN_ORDER}, the default,
 *     save time or memory and make batches less alike to random ones
 * @param packTokens The most tokens in a batch, which then holds as many examples as fit, whatever the batch size is;
 *     shared beginnings count once. Default: 0, no limit
 * @param recompute Whether of each decoder layer only the input is kept for the gradients, and the layer runs a second
 *     time when they are due: less memory, a third to a half more time, the same numbers. Default: false, where only
 *     layers of a long batch do so: those that begin when the values kept take 1.7 times the size of the weights in the
 *     activations' type, and at least 256 MB, already
 * @param neftuneAlpha Noise on the embeddings of tokens in training (NEFTune, <a
 *     href="https://arxiv.org/abs/2310.05914">2310.05914</a>): to each value of a sequence of L tokens is added a
 *     number that is uniform between {@code -a} and {@code a}, {@code a = alpha / sqrt(L H)}; 5 is usual. Beginnings
 *     that sequences have in common are not shared then, since each has noise of its own. Default: 0, none
 * @param labelSmoothing Share of the target that is spread over all tokens, as PyTorch's {@code label_smoothing}: the
 *     training loss is {@code (1 - e) nll + e mean over the vocabulary of -log p}. For next-token prediction;
 *     validation losses stay the plain negative log-likelihood. Default: 0, none
 * @param maxSteps Updates in all, instead of those that the epochs make up: the schedule ends with them, and the data
 *     come again where they are more. Default: 0, which means that the epochs decide
 * @param evaluateEverySteps Updates between two measurements on the validation data; default 0, which means after each
 *     epoch. There is always one before the first update and one after the last
 * @param timeBudget The training ends, and saves, before the update that would exceed this time, counted from its
 *     beginning or resumption; default: none
 * @param updateRule How updates differ by parameter; default {@link UpdateRule#PLAIN}
 * @param shuffle Whether each epoch has an order of its own, drawn from the seed; default true
 * @param keepBest Whether the adapter with the lowest loss on the validation data is left, not the last one; default
 *     false
 * @param learnedShare Ends the training when it has learned, with epochs and steps as the most it takes: the rate stays
 *     until this share of the rows was right when each was seen last, or neither their number nor their loss became
 *     better in two epochs, and falls then as the schedule does at its end. Validation data decide instead if there are
 *     some, by their accuracy or loss. 0: the epochs are as many as are given. Default: 0 where the epochs are
 *     given, else chosen by rules
 * @param freezeLower After so many epochs the adapters of the lower three fifths of the adapted decoder layers stay as
 *     they are; what these layers give is computed once for all further epochs, and nothing runs back through them.
 *     For adapters without dropout and without parts beside their layers, in one process. Default: 0, never
 * @param profile Whether {@link TrainingResult#profile} says where the time went, and with it the output folder and its
 *     page; some operations are then timed, and the numbers are the same. Default: false
 */
@With(setters = true)
public record TrainingOptions(
        @Option(label = "N|auto", usual = AutoNumber.AUTO, range = "[1,)", called = "the number of epochs",
                help = "Passes over the data; with auto until the rows are learned. With auto, here and below, rules "
                        + "choose from data, model, method, objective and memory, and say why; with a time budget from "
                        + "that, too.") OptionalInt epochs,
        @Option(label = "N|auto", usual = AutoNumber.AUTO, range = "[1,)", called = "the batch size",
                help = "Examples per forward pass.") OptionalInt batchSize,
        @Option(label = "N", range = "[1,)", called = "the gradient accumulation",
                help = "Forward passes per step. Default: 1, or what goes with an automatic batch "
                        + "size.") OptionalInt gradientAccumulation,
        @Option(label = "X|auto", usual = AutoNumber.AUTO, range = "(0,1]", called = "the learning rate",
                because = ", since an update of AdamW moves each value by about that much; 1e-4 to 1e-2 is usual",
                help = "Peak learning rate.") OptionalDouble learningRate,
        @Option(label = "NAME[=VALUE]", usual = "warmup-stable-decay=0.3",
                help = "Decay of the learning rate: linear, cosine, constant, cosine-with-restarts=CYCLES, "
                        + "polynomial=POWER[,END], warmup-stable-decay=SHARE.") LearningRateSchedule schedule,
        @Option(label = "N", range = "[0,)", called = "the warm-up steps",
                help = "Steps over which the learning rate rises first. Default: 0, or what goes with an automatic "
                        + "learning rate.") OptionalInt warmupSteps,
        @Option(label = "X", usual = "0", called = "the weight decay",
                help = "Decoupled weight decay.") double weightDecay,
        @Option(label = "X", usual = "1", range = "[0,)", zero = "no clipping", called = "the maximal gradient norm",
                help = "Gradients are clipped to this norm; 0 means never.") double maxGradNorm,
        @Option(label = "N", usual = "0", help = "Seed of initialization, order and dropout.") long seed,
        @Option(name = "no-shuffle", usual = "true", help = "Keeps the examples in order.") boolean shuffle,
        @Option(label = "NAME", usual = "in-order",
                help = "How examples are batched: in-order (as a plain shuffled loader), length-buckets, best-fit "
                        + "(up to a number of tokens), shared-prefixes.") PackOptions.Strategy packing,
        @Option(label = "N", range = "[0,)", zero = "the batch size decides",
                called = "the number of tokens of a batch",
                help = "Fills batches up to N tokens, instead of a number of examples. Not with "
                        + "in-order.") int packTokens,
        @Option(usual = "true") boolean sharePrefixes,
        @Option(group = "Machine",
                help = "Recomputes decoder layers in the backward pass: less memory, more time.") boolean recompute,
        @Option(label = "NAME", usual = "adamw", group = TrainingOptions.UPDATES,
                help = "adamw, adamw-8bit (its moments in 8 bits), sgd (momentum 0.9), lion or "
                        + "adafactor.") Optimizer optimizer,
        @Option(name = "parameter-group", label = "PATTERN:learning-rate=X,weight-decay=Y",
                group = TrainingOptions.UPDATES,
                help = "A learning rate, a weight decay or both for the parameters whose names the regular expression "
                        + "is found in; may be given repeatedly, the first that fits "
                        + "counts.") List<ParameterGroup> parameterGroups,
        @Option(label = "X", range = "[0,)", zero = "no noise", called = "the alpha of NEFTune",
                group = TrainingOptions.UPDATES,
                help = "NEFTune: noise on the embeddings of tokens; 5 is usual. Default: none.") double neftuneAlpha,
        @Option(label = "X", range = "[0,1)", zero = "none", called = "the label smoothing",
                group = TrainingOptions.UPDATES,
                help = "sft: share of the target that is spread over all tokens; dpo, simpo: share of the pairs that "
                        + "is taken to be the wrong way round. Default: none.") double labelSmoothing,
        @Option(label = "N", range = "[0,)", zero = "as many as the epochs have", called = "the number of steps",
                group = TrainingOptions.END,
                help = "Updates in all, instead of those that the epochs make up; the most where the "
                        + "learned rows decide.") long maxSteps,
        @Option(name = "eval-steps", label = "N", range = "[0,)", zero = "after each epoch",
                called = "the number of steps between evaluations", group = TrainingOptions.END,
                help = "Updates between two measurements on the validation data. Default: one an "
                        + "epoch.") long evaluateEverySteps,
        @Option(name = "early-stopping-patience", label = "N", range = "[0,)", zero = "never stop early",
                called = "the patience", group = TrainingOptions.END,
                help = "Ends the training when N measurements in a row are not "
                        + "better, and keeps the best adapter. Default: never.") int patience,
        @Option(name = "early-stopping-threshold", label = "X", usual = "0", range = "[0,)",
                called = "the threshold of early stopping", group = TrainingOptions.END,
                help = "By how much a loss must fall to count as better.") double threshold,
        @Option(group = TrainingOptions.END,
                help = "Keeps the adapter of the lowest validation loss, rather than the last one.") boolean keepBest,
        @Option(label = "SECONDS", group = TrainingOptions.END,
                help = "Stops and saves after this time.") Optional<Duration> timeBudget,
        @Option(usual = "plain") UpdateRule updateRule,
        @Option(label = "N", range = "[1,)", called = "the max length",
                help = "Longer examples are left out and listed; those of preferences are cut. Default: the model's "
                        + "limit.") OptionalInt maxLength,
        @Option(name = "learn", label = "assistant|last-turn|all", usual = "assistant",
                help = "What is learned: assistant messages with their weights, only the last one, or every "
                        + "token.") Masking masking,
        @Option(label = "X", range = "[0,1]", zero = "the epochs decide", called = "the learned share",
                group = TrainingOptions.END,
                help = "Ends the training when this share of the rows is learned, or nothing improves; epochs, steps "
                        + "and time budget are then the most it takes. 0: never. Default: 0.8 with automatic epochs "
                        + "(0.97 for classes), else 0.") OptionalDouble learnedShare,
        @Option(label = "N", range = "[0,)", zero = "never", called = "the number of epochs with lower layers",
                group = TrainingOptions.UPDATES,
                help = "After N epochs the adapters of the lower three fifths of the adapted layers stay as they are, "
                        + "and further epochs compute the layers above alone. Default: never.") int freezeLower,
        @Option(group = "Machine",
                help = "Says at the end where the time of the training went, and what would make it faster "
                        + "here.") boolean profile)
        implements
            TrainingOptionsWith {
    /** Examples of a batch if neither the user nor a rule says how many. */
    static final int USUAL_BATCH = 8;
    /** The heading of the options that end a training. */
    public static final String END = "End of the training";
    private static final String UPDATES = "Updates";
    /** What the rules choose is about as large; a weight decay is held against it until they have chosen. */
    private static final double USUAL_LEARNING_RATE = 1e-3;
    private static final TrainingOptions DEFAULTS = new OptionValues<>(TrainingOptions.class).make();

    /**
     * Checks the ranges. What goes with a number that is given is not chosen any more: with a batch size no gradients
     * are accumulated, and with a learning rate there is no warm-up.
     *
     * @throws ConfigurationException when a value is out of range or contradicts another
     */
    public TrainingOptions {
        TrainingOptionsWith.check(epochs, batchSize, gradientAccumulation, learningRate, schedule, warmupSteps,
                weightDecay, maxGradNorm, packing, packTokens, optimizer, parameterGroups, neftuneAlpha, labelSmoothing,
                maxSteps,
                evaluateEverySteps, patience, threshold, timeBudget, updateRule, maxLength, masking, learnedShare,
                freezeLower);
        parameterGroups = List.copyOf(parameterGroups);
        batchSize = batchSize.isEmpty() && packTokens > 0 ? OptionalInt.of(USUAL_BATCH) : batchSize;
        gradientAccumulation = gradientAccumulation.isEmpty() && batchSize.isPresent() ? OptionalInt.of(1)
                : gradientAccumulation;
        warmupSteps = warmupSteps.isEmpty() && learningRate.isPresent() ? OptionalInt.of(0) : warmupSteps;
        learnedShare = learnedShare.isEmpty() && (epochs.isPresent() || !schedule.isStable()) ? OptionalDouble.of(0)
                : learnedShare;
        require(weightDecay >= 0 && weightDecay * learningRate.orElse(USUAL_LEARNING_RATE) < 1, "weight decay",
                weightDecay,
                "0 or more, and less than 1 by the learning rate, with which values would go to 0 in one update");
        // The number of batches of an epoch would depend on its order, and with it where the schedule ends.
        require(packTokens == 0 || packing != PackOptions.Strategy.IN_ORDER, "packing", packing,
                "another one where batches hold a number of tokens");
        require(threshold == 0 || patience > 0, "threshold of early stopping", threshold, "0 without a patience");
        require(timeBudget.filter(time -> time.isNegative() || time.isZero()).isEmpty(), "time budget",
                timeBudget.map(Duration::toString).orElse(""), "more than no time");
        double share = learnedShare.orElse(0);
        require(share == 0 || schedule.isStable(), "learned share", share, "0 with the schedule " + schedule
                + ", whose end must be known from the beginning");
    }

    private static void require(boolean ok, String name, Object value, String allowed) {
        if (!ok) {
            throw new ConfigurationException("the " + name + " is " + value + "; it must be " + allowed);
        }
    }

    /**
     * An option of a training by its name.
     *
     * @param name such as {@code learning-rate}
     * @param type what its value is in Java
     * @param label what stands for the value in help
     * @param usual its default as a word; empty: 0, false or nothing
     * @param help what it does
     * @param group the heading below which help lists it
     */
    public record Declared(String name, Class<?> type, String label, String usual, String help, String group) {
    }

    /** The options of a training that are given by name, in the order of the components. */
    public static List<Declared> declared() {
        return OptionValues.declared(TrainingOptions.class);
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
        return OptionValues.names(TrainingOptions.class);
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
        changed(values, "freeze_lower", freezeLower, DEFAULTS.freezeLower);
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
    public abstract static class Setters<B> extends TrainingOptionsSetters<B> {
        private final OptionValues<TrainingOptions> values = new OptionValues<>(TrainingOptions.class);

        Setters() {
        }

        /** The options as they are set; fails where one is out of range. */
        final TrainingOptions chosen() {
            return values.make();
        }

        @Override
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
         * @param name one of {@link TrainingOptions#names}, or with strokes as on the command line
         * @throws ConfigurationException when the word is no value of it
         */
        @SuppressWarnings("unchecked")
        public B option(String name, String word) {
            values.read(name.replace('-', '_'), word);
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

        /** Parameters with a learning rate or a weight decay of their own; may be called more than once. */
        public B parameterGroup(ParameterGroup group) {
            return set("parameterGroups", Stream.concat(((List<?>) values.get("parameterGroups")).stream(),
                    Stream.of(group)).toList());
        }

        /**
         * Ends the training early, and leaves the best adapter. Default: never.
         *
         * @param patience number of measurements in a row without an improvement, after which it ends
         * @param threshold by how much the loss must be lower than the best one to count as an improvement
         */
        public B earlyStopping(int patience, double threshold) {
            patience(patience);
            threshold(threshold);
            return keepBest(true);
        }
    }
}
