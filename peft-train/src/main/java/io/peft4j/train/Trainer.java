package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.Calibration;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.UpdateRule;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.EncodedChats;
import io.peft4j.data.Masking;
import io.peft4j.data.pack.PackOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains the active adapters of a model by next-token prediction on the supervised tokens.
 *
 * <pre>{@code
 * TrainingResult run = Trainer.builder(model).epochs(8).learningRate(1e-3).output(Path.of("handbook-adapter"))
 *         .build().train(examples);
 * }</pre>
 *
 * <p>The loss of an update is the mean over all supervised tokens of its examples, however they are cut into batches,
 * so gradient accumulation equals a larger batch. The same seed gives the same adapter, bit for bit.
 */
public final class Trainer {
    private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

    private final PeftModel model;
    private final TrainingOptions options;
    private final OptionalInt maxLength;
    private final Masking masking;
    private final List<TokenSequence> validation;
    private final Optional<ChatDataset> validationChats;
    private final Optional<Checkpoints> output;
    private final boolean resume;
    private final List<TrainingListener> listeners;
    private final UpdateRule rule;
    private final Cancellation cancellation;

    private Trainer(Builder builder) {
        this.model = builder.model;
        this.options = builder.options();
        this.maxLength = builder.maxLength;
        this.masking = builder.masking;
        this.validation = builder.validation;
        this.validationChats = builder.validationChats;
        this.output = builder.checkpoints();
        this.resume = builder.resume;
        this.listeners = List.copyOf(builder.listeners);
        this.rule = builder.rule;
        this.cancellation = builder.cancellation;
    }

    /** A builder of a trainer for the adapters that are active in {@code model}. */
    public static Builder builder(PeftModel model) {
        return new Builder(model);
    }

    /**
     * Trains on conversations, encoded with the model's tokenizer and chat template; see {@link ChatEncoder}. Those
     * that are longer than {@link Builder#maxLength} are left out, counted ({@link TrainingPlan#leftOut}) and listed in
     * the log.
     *
     * @throws io.peft4j.core.error.PeftException when the model has no chat template, an example cannot be encoded, or
     *     as {@link #train(List)} says
     */
    public TrainingResult train(ChatDataset examples) {
        requireFreeOutput();
        EncodedChats encoded = encode(examples);
        LOG.info("[[learned]] of the first example: {}",
                encoder(model, masking).preview(encoded.kept().get(0)).replace("\n", "\\n"));
        return train(encoded.sequences(), encoded.tooLong().size());
    }

    /**
     * Trains on the examples, and saves the adapter where an output folder is given, also when the training was
     * cancelled. A training that fails leaves no adapter; its last values are in the model.
     *
     * @throws ConfigurationException when there is no example, no supervised token or no trainable parameter; when an
     *     example is longer than the model's limit; when the output folder holds a run already; when the loss is no
     *     number any more
     * @throws java.io.UncheckedIOException when the output cannot be written
     */
    public TrainingResult train(List<TokenSequence> examples) {
        requireFreeOutput();
        return train(examples, 0);
    }

    private void requireFreeOutput() {
        if (!resume) {
            output.ifPresent(place -> RunFolder.requireFree(model, place));
        }
    }

    private TrainingResult train(List<TokenSequence> examples, int tooLong) {
        int limit = room();
        Optional<Path> checkpoint = resume ? RunFolder.resumePoint(model, output.orElseThrow()) : Optional.empty();
        List<TokenSequence> held = validationChats.map(chats -> encode(chats).sequences()).orElse(validation);
        Optional<TrainingSet> validationSet = held.isEmpty() ? Optional.empty()
                : Optional.of(TrainingSet.of(held, "validation", limit));
        try (TrainingRun run = TrainingRun.prepare(model, options, TrainingSet.of(examples, "training", limit),
                validationSet, tooLong, checkpoint, rule, cancellation)) {
            return output.isPresent() ? runInto(output.get(), run)
                    : finish(run.execute(all(listeners), Optional.empty()));
        }
    }

    private TrainingResult runInto(Checkpoints place, TrainingRun run) {
        try (RunFolder folder = resume && Files.exists(place.output())
                ? RunFolder.resume(model, place, run.stepsDone()) : RunFolder.create(model, place)) {
            List<TrainingListener> withMetrics = new ArrayList<>(List.of(folder));
            withMetrics.addAll(listeners);
            TrainingResult result = run.execute(all(withMetrics), Optional.of(folder));
            folder.saveAdapter();
            ModelCard.write(folder.path(), model, options, result);
            folder.writePassports(run.settings());
            return finish(result);
        }
    }

    private TrainingResult finish(TrainingResult result) {
        listeners.forEach(listener -> listener.onEnd(result));
        return result;
    }

    private static TrainingListener all(List<TrainingListener> listeners) {
        return new TrainingListener() {
            @Override
            public void onStart(TrainingPlan plan) {
                listeners.forEach(listener -> listener.onStart(plan));
            }

            @Override
            public void onStep(StepMetrics metrics) {
                listeners.forEach(listener -> listener.onStep(metrics));
            }

            @Override
            public void onEvaluation(long step, double epoch, double evalLoss) {
                listeners.forEach(listener -> listener.onEvaluation(step, epoch, evalLoss));
            }
        };
    }

    private EncodedChats encode(ChatDataset dataset) {
        return encoder(model, masking).encode(dataset, maxLength.orElse(room()));
    }

    /**
     * The first examples of a training, for an adapter whose first values are computed from data
     * ({@link io.peft4j.core.peft.PeftConfig#needsCalibration()}). Examples that are too long are left out.
     *
     * @param model the base model
     * @param examples the training's conversations
     * @param batchSize examples a batch
     * @param mostBatches the most batches
     * @throws ConfigurationException when there is no example, or the model has no chat template
     */
    public static Calibration calibration(LanguageModel model, ChatDataset examples, int batchSize, int mostBatches) {
        return Calibration.of(encoder(model).encode(examples, model.network().description().maxPositions())
                .sequences(), batchSize, mostBatches);
    }

    /** The most tokens of an example. */
    private int room() {
        try (ModelLease lease = model.lease()) {
            return lease.maxPositions();
        }
    }

    /** The encoder of a model's conversations that learns what the assistant says. */
    static ChatEncoder encoder(LanguageModel model) {
        return encoder(model, Masking.ASSISTANT);
    }

    private static ChatEncoder encoder(LanguageModel model, Masking masking) {
        ChatTemplate template = model.chatTemplate().orElseThrow(() -> new ConfigurationException(
                model.network().description().name() + " has no chat template; encode the examples yourself"));
        return new ChatEncoder(model.tokenizer(), template, masking);
    }

    /** Collects what a trainer needs; the defaults are those of {@link TrainingOptions#defaults()}. */
    public static final class Builder {
        private static final TrainingOptions DEFAULTS = TrainingOptions.defaults();

        private final PeftModel model;
        private int epochs = DEFAULTS.epochs();
        private int batchSize = DEFAULTS.batchSize();
        private int gradientAccumulation = DEFAULTS.gradientAccumulation();
        private double learningRate = DEFAULTS.learningRate();
        private LearningRateSchedule schedule = DEFAULTS.schedule();
        private int warmupSteps = DEFAULTS.warmupSteps();
        private double weightDecay = DEFAULTS.weightDecay();
        private double maxGradNorm = DEFAULTS.maxGradNorm();
        private long seed = DEFAULTS.seed();
        private boolean shuffle = DEFAULTS.shuffle();
        private boolean sharePrefixes = DEFAULTS.sharePrefixes();
        private PackOptions.Strategy packing = DEFAULTS.packing();
        private int packTokens = DEFAULTS.packTokens();
        private boolean recompute = DEFAULTS.recompute();
        private OptionalInt maxLength = OptionalInt.empty();
        private Masking masking = Masking.ASSISTANT;
        private List<TokenSequence> validation = List.of();
        private Optional<ChatDataset> validationChats = Optional.empty();
        private Optional<Path> output = Optional.empty();
        private int checkpointEverySteps;
        private int keptCheckpoints = 2;
        private boolean resume;
        private final List<TrainingListener> listeners = new ArrayList<>();
        private UpdateRule rule = UpdateRule.PLAIN;
        private Cancellation cancellation = new Cancellation();

        private Builder(PeftModel model) {
            this.model = Objects.requireNonNull(model, "model");
        }

        /** Passes over the data. */
        public Builder epochs(int value) {
            epochs = value;
            return this;
        }

        /** Examples a forward pass. */
        public Builder batchSize(int value) {
            batchSize = value;
            return this;
        }

        /** Forward passes an update. */
        public Builder gradientAccumulation(int value) {
            gradientAccumulation = value;
            return this;
        }

        /** The highest learning rate. */
        public Builder learningRate(double value) {
            learningRate = value;
            return this;
        }

        /** How the learning rate moves. */
        public Builder schedule(LearningRateSchedule value) {
            schedule = value;
            return this;
        }

        /** Updates over which the learning rate rises from 0. */
        public Builder warmupSteps(int value) {
            warmupSteps = value;
            return this;
        }

        /** Decoupled weight decay. */
        public Builder weightDecay(double value) {
            weightDecay = value;
            return this;
        }

        /** The norm that gradients are clipped to; 0 means never. */
        public Builder maxGradNorm(double value) {
            maxGradNorm = value;
            return this;
        }

        /** Seed of order and dropout. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** Whether each epoch has its own order. */
        public Builder shuffle(boolean value) {
            shuffle = value;
            return this;
        }

        /** Whether a beginning that examples of a batch share is computed once. */
        public Builder sharePrefixes(boolean value) {
            sharePrefixes = value;
            return this;
        }

        /**
         * Which examples come into a batch together. All but {@link PackOptions.Strategy#IN_ORDER} save time or memory
         * and make batches less alike to random ones.
         */
        public Builder packing(PackOptions.Strategy value) {
            packing = Objects.requireNonNull(value, "packing");
            return this;
        }

        /** The most tokens of a batch, instead of {@link #batchSize}; shared beginnings count once. */
        public Builder packTokens(int value) {
            packTokens = value;
            return this;
        }

        /** Whether decoder layers run a second time rather than keep what their gradients need: memory for time. */
        public Builder recompute(boolean value) {
            recompute = value;
            return this;
        }

        /** The most tokens of a conversation: longer ones are left out. Default: the model's limit. */
        public Builder maxLength(int tokens) {
            maxLength = OptionalInt.of(tokens);
            return this;
        }

        /** Which tokens of a conversation are learned; default {@link Masking#ASSISTANT}. */
        public Builder masking(Masking value) {
            masking = Objects.requireNonNull(value, "masking");
            return this;
        }

        /** Examples whose loss is measured before the training and after each epoch; an empty list means none. */
        public Builder validation(List<TokenSequence> examples) {
            validation = List.copyOf(examples);
            validationChats = Optional.empty();
            return this;
        }

        /** Conversations whose loss is measured before the training and after each epoch. */
        public Builder validation(ChatDataset examples) {
            validationChats = Optional.of(examples);
            return this;
        }

        /** A folder for the adapter and {@code metrics.jsonl}; it must not hold a run yet. */
        public Builder output(Path folder) {
            output = Optional.of(folder);
            return this;
        }

        /**
         * Updates between two checkpoints: folders {@code checkpoint-N} in the output folder, each a usable adapter
         * from which the training can be resumed. Default: 0, none but at the end of a training that is cancelled.
         */
        public Builder checkpointEverySteps(int steps) {
            checkpointEverySteps = steps;
            return this;
        }

        /** How many checkpoints stay, the last ones; default 2. */
        public Builder keepCheckpoints(int count) {
            keptCheckpoints = count;
            return this;
        }

        /**
         * Whether to go on from the last checkpoint in the output folder. With the same options, data, adapter
         * configuration, kernels and machine the result is that of a training that was never interrupted, bit for bit.
         * Where the folder holds no checkpoint and no adapter, the training begins anew. Default: false.
         */
        public Builder resume(boolean value) {
            resume = value;
            return this;
        }

        /** Somebody who follows the training; may be called more than once. */
        public Builder listener(TrainingListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /** How updates differ by parameter; default {@link UpdateRule#PLAIN}. */
        public Builder updateRule(UpdateRule value) {
            rule = Objects.requireNonNull(value, "rule");
            return this;
        }

        /** What stops the training early. */
        public Builder cancellation(Cancellation value) {
            cancellation = Objects.requireNonNull(value, "cancellation");
            return this;
        }

        private Optional<Checkpoints> checkpoints() {
            return output.map(folder -> new Checkpoints(folder, checkpointEverySteps, keptCheckpoints));
        }

        private TrainingOptions options() {
            return new TrainingOptions(epochs, batchSize, gradientAccumulation, learningRate, schedule, warmupSteps,
                    weightDecay, maxGradNorm, seed, shuffle, sharePrefixes, packing, packTokens, recompute);
        }

        /**
         * The trainer.
         *
         * @throws ConfigurationException when an option is out of range
         */
        public Trainer build() {
            int limit = model.network().description().maxPositions();
            if (maxLength.isPresent() && (maxLength.getAsInt() < 1 || maxLength.getAsInt() > limit)) {
                throw new ConfigurationException("max length must be from 1 to the model's limit of " + limit + ", "
                        + "got " + maxLength.getAsInt());
            }
            if (output.isEmpty() && (resume || checkpointEverySteps > 0)) {
                throw new ConfigurationException("checkpoints and resuming need an output folder");
            }
            return new Trainer(this);
        }
    }
}
