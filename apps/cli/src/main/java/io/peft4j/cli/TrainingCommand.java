package io.peft4j.cli;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.models.BaseModel;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.objective.Keeping;
import io.peft4j.train.objective.KeepingOptions;
import io.peft4j.train.plan.AutoInteger;
import io.peft4j.train.plan.AutoNumber;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What commands share that train, or say what a training would be: the options of {@code peft4j train}. */
@HelpGroup(HelpGroup.TRAINING)
abstract class TrainingCommand extends PeftCommand {
    /** The most batches that first values are computed from. */
    private static final int CALIBRATION_BATCHES = 32;
    private static final int CALIBRATION_SIZE = 8;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    String model;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--data", required = true, paramLabel = "FILE",
            description = "Training data: {\"messages\": [...]} a line, or as --objective says; - is the standard "
                    + "input.")
    Path data;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--validation", paramLabel = "FILE",
            description = "Validation data, whose loss is measured before training and after each epoch.")
    Path validation;

    @Mixin
    DataInput input;

    @Mixin
    AdapterOptions adapter;

    @Option(names = "--epochs", paramLabel = "N|auto", defaultValue = AutoNumber.AUTO, description = "Passes over "
            + "the data; with auto until the rows are learned. With auto, here and below, rules choose from data, "
            + "model, method, objective and memory, and say why; with --time-budget from that, too. Default: "
            + "${DEFAULT-VALUE}")
    AutoInteger epochs;

    @Option(names = "--batch-size", paramLabel = "N|auto", defaultValue = AutoNumber.AUTO,
            description = "Examples per forward pass. Default: ${DEFAULT-VALUE}")
    AutoInteger batchSize;

    @Option(names = "--gradient-accumulation", paramLabel = "N", description = "Forward passes per step. Default: 1, "
            + "or what goes with an automatic batch size")
    private Integer gradientAccumulation;

    @Option(names = "--learning-rate", paramLabel = "X|auto", defaultValue = AutoNumber.AUTO,
            description = "Peak learning rate. Default: ${DEFAULT-VALUE}")
    AutoNumber learningRate;

    @Option(names = "--schedule", paramLabel = "NAME[=VALUE]",
            description = "Decay of the learning rate: linear, cosine, constant, cosine-with-restarts=CYCLES, "
                    + "polynomial=POWER[,END], warmup-stable-decay=SHARE. Default: ${DEFAULT-VALUE}")
    LearningRateSchedule schedule = LearningRateSchedule.DEFAULT;

    @Option(names = "--warmup-steps", paramLabel = "N", description = "Steps over which the learning rate rises first. "
            + "Default: 0, or what goes with an automatic learning rate")
    private Integer warmupSteps;

    @Option(names = "--weight-decay", paramLabel = "X", defaultValue = "0",
            description = "Decoupled weight decay. Default: ${DEFAULT-VALUE}")
    double weightDecay;

    @Option(names = "--max-grad-norm", paramLabel = "X", defaultValue = "1",
            description = "Gradients are clipped to this norm; 0 means never. Default: ${DEFAULT-VALUE}")
    double maxGradNorm;

    @Mixin
    OptimizerOptions updates;

    @Option(names = "--max-length", paramLabel = "N",
            description = "Longer examples are left out and listed; those of preferences are cut. Default: the model's "
                    + "limit")
    Integer maxLength;

    @Mixin
    ObjectiveOptions objective;

    @Mixin
    private LearnedOptions learned;

    @Option(names = "--remember", description = "Learns without forgetting: mixes general examples in, three for each "
            + "five rows, at most 104 to a thousand. For --objective sft on a model with a chat template.")
    private boolean remember;

    @Mixin
    private KeepOptions keep;

    private Optional<Keeping> answered = Optional.empty();

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0",
            description = "Seed of initialization, order and dropout. Default: ${DEFAULT-VALUE}")
    long seed;

    @Option(names = "--no-shuffle", description = "Keeps the examples in order.")
    private boolean noShuffle;

    @Option(names = "--packing", paramLabel = "NAME", defaultValue = "in-order", description = "How examples are "
            + "batched: in-order (as a plain shuffled loader), length-buckets, best-fit (with "
            + "--pack-tokens), shared-prefixes. Default: ${DEFAULT-VALUE}")
    PackOptions.Strategy packing;

    @Option(names = "--pack-tokens", paramLabel = "N", defaultValue = "0", description = "Fills batches up to N "
            + "tokens, instead of --batch-size. Not with in-order.")
    int packTokens;

    @HelpGroup(HelpGroup.MACHINE)
    @Option(names = "--recompute",
            description = "Recomputes decoder layers in the backward pass: less memory, more time.")
    private boolean recompute;

    @Mixin
    EngineOptions engine;

    @Mixin
    private StoppingOptions stopping;

    /**
     * Checks the options that depend on each other, before anything is read.
     *
     * @param own names of options of objectives that the command gives another meaning
     */
    final void checkTraining(String... own) {
        fromOptions(this::options);
        updates.check(this);
        if (packTokens > 0 && isGiven("--batch-size")) {
            throw usage("--pack-tokens replaces --batch-size; they are mutually exclusive");
        }
        objective.check(this, own);
        keep.check(this);
    }

    /** Asks the base once for what several trainings keep. */
    final void askOnce(BaseModel base) {
        answered = keep.keeping(input).map(what -> what.answeredBy(base));
    }

    /** The examples that the options name. */
    final TrainingData examples() {
        TrainingData read = objective.read(input, data, Optional.ofNullable(validation),
                name -> engine.load(name, console()));
        return remember ? read.remembering() : read;
    }

    /** The base with the adapter to be trained. */
    final PeftModel tuned(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        return choice.on(base, seed, () -> examples.calibration(base, batchSize.value().orElse(CALIBRATION_SIZE),
                CALIBRATION_BATCHES));
    }

    /**
     * What rules choose before there is an adapter: its rank and layers where these are {@code auto}, and what a time
     * budget has room for. All else is chosen by the trainer.
     */
    final Optional<Hyperparameters> chosen(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        Optional<Duration> budget = budget();
        if (budget.isEmpty() && !adapter.isAuto()) {
            return Optional.empty();
        }
        HyperparameterRules rules = rules(base, examples, choice);
        budget.ifPresent(time -> rules.timeBudget(time, speed(base, examples, choice.with(Optional.of(
                rules.choose())))));
        return Optional.of(rules.choose());
    }

    /** The rules around what is given. */
    final HyperparameterRules rules(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        HyperparameterRules rules = examples.rules(base);
        choice.config(base).ifPresent(rules::method);
        epochs.value().ifPresent(rules::epochs);
        options().learnedShare().ifPresent(rules::learnedShare);
        batchSize.value().ifPresent(rules::batchSize);
        learningRate.value().ifPresent(rules::learningRate);
        Optional.ofNullable(gradientAccumulation).ifPresent(rules::gradientAccumulation);
        Optional.ofNullable(warmupSteps).ifPresent(rules::warmupSteps);
        adapter.addTo(rules);
        return rules;
    }

    /** The time that everything may take. */
    final Optional<Duration> timeBudget() {
        return options().timeBudget();
    }

    /** A trainer that nothing ends early. */
    final TrainerBuilder unbounded(PeftModel tuned) {
        return trainer(tuned, untilTheEnd().build());
    }

    /** The time that the choice of epochs or layers has to keep within. */
    private Optional<Duration> budget() {
        return options().timeBudget()
                .filter(time -> epochs.value().isEmpty() || adapter.isAuto());
    }

    /** Tokens a second, from a probe of what would be trained if there were time. */
    private double speed(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        try (PeftModel tuned = tuned(base, examples, choice)) {
            return examples.estimate(trainer(tuned, untilTheEnd().build()), tuned).tokensPerSecond();
        }
    }

    /** Says what rules have chosen before there was an adapter, and why. */
    final void sayChosen(Console console, Optional<Hyperparameters> chosen) {
        List<String> names = budget().isPresent() ? List.of("rank", "layers", "epochs") : List.of("rank", "layers");
        chosen.map(Hyperparameters::reasons)
                .ifPresent(reasons -> names.forEach(name -> console.say("auto:       %s %s", name, reasons.get(name))));
    }

    /** What a training is asked for, but for what is known with its adapter. */
    private TrainingOptions options() {
        TrainingOptions.Builder options = untilTheEnd();
        stopping.addTo(options);
        return options.build();
    }

    /** The same for a training that nothing ends early. */
    private TrainingOptions.Builder untilTheEnd() {
        TrainingOptions.Builder options = TrainingOptions.builder().schedule(schedule).weightDecay(weightDecay)
                .maxGradNorm(maxGradNorm).seed(seed).shuffle(!noShuffle).packing(packing).packTokens(packTokens)
                .recompute(recompute).masking(learned.masking());
        updates.addTo(options);
        epochs.value().ifPresent(options::epochs);
        batchSize.value().ifPresent(options::batchSize);
        learningRate.value().ifPresent(options::learningRate);
        Optional.ofNullable(gradientAccumulation).ifPresent(options::gradientAccumulation);
        Optional.ofNullable(warmupSteps).ifPresent(options::warmupSteps);
        Optional.ofNullable(maxLength).ifPresent(options::maxLength);
        return options;
    }

    /** A trainer without an output folder; it chooses what is neither given nor follows from a time budget. */
    final TrainerBuilder builder(PeftModel tuned, Optional<Hyperparameters> chosen) {
        TrainerBuilder builder = trainer(tuned, options());
        chosen.filter(values -> budget().isPresent() && epochs.value().isEmpty())
                .ifPresent(values -> builder.epochs(values.epochs()).learnedShare(values.learnedShare()));
        return builder;
    }

    private TrainerBuilder trainer(PeftModel tuned, TrainingOptions options) {
        TrainerBuilder trainer = Trainer.builder(tuned).options(options).updateRule(updates.rule(tuned))
                .logProgress(false);
        answered.or(() -> keep.keeping(input)).ifPresent(trainer::keeping);
        return trainer;
    }

    /** When a training measures and ends, and which adapter it leaves. */
    @HelpGroup("End of the training")
    private static final class StoppingOptions {
        @Option(names = "--max-steps", paramLabel = "N", defaultValue = "0",
                description = "Updates in all, instead of those that --epochs make up; the most where the learned rows "
                        + "decide.")
        private long maxSteps;

        @Option(names = "--learned-share", paramLabel = "X",
                description = "Ends the training when this share of the rows "
                        + "is learned, or nothing improves; --epochs, --max-steps and --time-budget are then "
                        + "the most it takes. 0: "
                        + "never. Default: 0.8 with --epochs auto (0.97 for classes), else 0")
        private Double learnedShare;

        @Option(names = "--eval-steps", paramLabel = "N", defaultValue = "0",
                description = "Updates between two measurements on the validation data. Default: one an epoch")
        private long evaluateEverySteps;

        @Option(names = "--early-stopping-patience", paramLabel = "N", defaultValue = "0", description = "Ends the "
                + "training when N measurements in a row are not better, and keeps the best adapter. Default: never")
        private int patience;

        @Option(names = "--early-stopping-threshold", paramLabel = "X", defaultValue = "0",
                description = "By how much a loss must fall to count as better. Default: 0")
        private double threshold;

        @Option(names = "--keep-best",
                description = "Keeps the adapter of the lowest validation loss, rather than the last one.")
        private boolean keepBest;

        @Option(names = "--time-budget", paramLabel = "SECONDS", description = "Stops and saves after this time.")
        private Double timeBudget;

        void addTo(TrainingOptions.Builder options) {
            options.maxSteps(maxSteps).evaluateEverySteps(evaluateEverySteps).earlyStopping(patience, threshold)
                    .keepBest(keepBest || patience > 0);
            Optional.ofNullable(learnedShare).ifPresent(options::learnedShare);
            Optional.ofNullable(timeBudget).ifPresent(
                    seconds -> options.timeBudget(Duration.ofNanos((long) (seconds * 1e9))));
        }
    }

    /** What a training keeps of what the base model says. */
    @HelpGroup(HelpGroup.TRAINING)
    private static final class KeepOptions {
        private static final String GENERAL = "general";
        private static final KeepingOptions USUAL = KeepingOptions.defaults();

        @Option(names = "--keep", paramLabel = "general|FILE",
                description = "Has the base answer general prompts, or those "
                        + "of a file, and penalizes each update for what changes along its answers.")
        private String keep;

        @Option(names = "--keep-by", paramLabel = "divergence|answers", defaultValue = "divergence",
                description = "What is minimized along kept answers: the divergence from the base, or their "
                        + "likelihood as "
                        + "if they were rows. Default: ${DEFAULT-VALUE}")
        private String by;

        @Option(names = "--keep-share", paramLabel = "X",
                description = "Kept answers for each example of a batch. Default: 0.25")
        private Double share;

        @Option(names = "--keep-weight", paramLabel = "X", description = "What kept answers count beside the examples. "
                + "Default: 0.3")
        private Double weight;

        /** Checks the options, before anything is read. */
        void check(PeftCommand line) {
            line.requireWith("--keep", List.of("--keep-by", "--keep-share", "--keep-weight"));
            if (!List.of("divergence", "answers").contains(by)) {
                throw line.usage("--keep-by is '" + by + "'; it must be divergence or answers");
            }
            line.fromOptions(this::options);
        }

        private KeepingOptions options() {
            return new KeepingOptions(Optional.ofNullable(share).orElse(USUAL.share()), Optional.ofNullable(weight)
                    .orElse(USUAL.weight()), KeepingOptions.By.valueOf(by.toUpperCase(Locale.ROOT)),
                    USUAL.mostTokens());
        }

        /** What is kept, if anything is. */
        Optional<Keeping> keeping(DataInput input) {
            return Optional.ofNullable(keep).map(what -> what.equals(GENERAL) ? Keeping.general(options())
                    : Keeping.ofPrompts(input.file(Path.of(what)), options()));
        }
    }
}
