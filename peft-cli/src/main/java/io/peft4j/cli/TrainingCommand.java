package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.lora.LoraFa;
import io.peft4j.lora.LoraPlus;
import io.peft4j.models.BaseModel;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingControl;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What commands share that train, or say what a training would be: the options of {@code peft4j train}. */
@HelpGroup(HelpGroup.TRAINING)
abstract class TrainingCommand extends PeftCommand {
    /** The most batches that first values are computed from. */
    private static final int CALIBRATION_BATCHES = 32;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    String model;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--data", required = true, paramLabel = "FILE",
            description = "Training data: {\"messages\": [...]} a line, or as --objective says.")
    Path data;

    @HelpGroup(HelpGroup.DATA)
    @Option(names = "--validation", paramLabel = "FILE",
            description = "Validation data, whose loss is measured before training and after each epoch.")
    Path validation;

    @Mixin
    private DataInput input;

    @Mixin
    AdapterOptions adapter;

    @Option(names = "--epochs", paramLabel = "N|auto", defaultValue = "3", description = "Passes over the data. "
            + "With auto, here and below, rules choose from data, model, memory and time, and say why. "
            + "Default: ${DEFAULT-VALUE}")
    AutoInteger epochs;

    @Option(names = "--batch-size", paramLabel = "N|auto", defaultValue = "8",
            description = "Examples per forward pass. Default: ${DEFAULT-VALUE}")
    AutoInteger batchSize;

    @Option(names = "--gradient-accumulation", paramLabel = "N", defaultValue = "1",
            description = "Forward passes per step. Default: ${DEFAULT-VALUE}")
    int gradientAccumulation;

    @Option(names = "--learning-rate", paramLabel = "X|auto", defaultValue = "2e-4",
            description = "Peak learning rate. Default: ${DEFAULT-VALUE}")
    AutoNumber learningRate;

    @Option(names = "--schedule", paramLabel = "NAME[=VALUE]", defaultValue = "linear",
            description = "Decay of the learning rate: linear, cosine, constant, cosine-with-restarts=CYCLES, "
                    + "polynomial=POWER[,END], warmup-stable-decay=SHARE. Default: ${DEFAULT-VALUE}")
    LearningRateSchedule schedule;

    @Option(names = "--warmup-steps", paramLabel = "N", defaultValue = "0",
            description = "Steps over which the learning rate rises first. Default: ${DEFAULT-VALUE}")
    int warmupSteps;

    @Option(names = "--weight-decay", paramLabel = "X", defaultValue = "0",
            description = "Decoupled weight decay. Default: ${DEFAULT-VALUE}")
    double weightDecay;

    @Option(names = "--max-grad-norm", paramLabel = "X", defaultValue = "1",
            description = "Gradients are clipped to this norm; 0 means never. Default: ${DEFAULT-VALUE}")
    double maxGradNorm;

    @Mixin
    UpdateOptions updates;

    @HelpGroup("Updates")
    @Option(names = "--loraplus-ratio", paramLabel = "X",
            description = "LoRA+: trains B with X times the learning rate of A; 16 is usual.")
    private Double loraPlusRatio;

    @HelpGroup("Updates")
    @Option(names = "--lora-fa", description = "LoRA-FA: freezes A and trains only B.")
    private boolean loraFa;

    @Option(names = "--max-length", paramLabel = "N",
            description = "Longer examples are left out and listed; those of preferences are cut. Default: the model's "
                    + "limit")
    Integer maxLength;

    @Mixin
    ObjectiveOptions objective;

    @Mixin
    private LearnedOptions learned;

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
    private ControlOptions control;

    /** Checks the options that depend on each other, before anything is read. */
    final void checkTraining() {
        fromOptions(() -> options(Optional.empty()));
        if (maxLength != null && maxLength < 1) {
            throw usage("--max-length must be at least 1");
        }
        if (loraFa && loraPlusRatio != null) {
            throw usage("--loraplus-ratio and --lora-fa are mutually exclusive: with --lora-fa only B is trained");
        }
        Optional.ofNullable(loraPlusRatio).ifPresent(ratio -> fromOptions(() -> new LoraPlus(ratio)));
        if (packTokens > 0 && isGiven("--batch-size")) {
            throw usage("--pack-tokens replaces --batch-size; they are mutually exclusive");
        }
        objective.check(this);
        fromOptions(control::control);
        fromOptions(updates::learning);
    }

    /** The examples that the options name. */
    final TrainingData examples() {
        return objective.read(input.file(data), Optional.ofNullable(validation).map(input::file), learned.masking(),
                name -> engine.load(name, console()));
    }

    /** The base with the adapter to be trained. */
    final PeftModel tuned(BaseModel base, TrainingData examples, AdapterOptions.Choice choice, int examplesAPass) {
        return choice.on(base, seed, () -> examples.calibration(base, examplesAPass, CALIBRATION_BATCHES));
    }

    /** What the rules choose, where an option is {@code auto}. */
    final Optional<Hyperparameters> chosen(BaseModel base, TrainingData examples, AdapterOptions.Choice choice) {
        if (epochs.value().isPresent() && batchSize.value().isPresent() && learningRate.value().isPresent()
                && !adapter.isAuto()) {
            return Optional.empty();
        }
        HyperparameterRules rules = Hyperparameters.choosing(examples.facts(base), base.network().description());
        epochs.value().ifPresent(rules::epochs);
        batchSize.value().ifPresent(rules::batchSize);
        learningRate.value().ifPresent(rules::learningRate);
        if (isGiven("--gradient-accumulation")) {
            rules.gradientAccumulation(gradientAccumulation);
        }
        adapter.addTo(rules);
        Optional<Duration> budget = fromOptions(control::control).timeBudget();
        if (budget.isPresent() && (epochs.value().isEmpty() || adapter.isAuto())) {
            rules.timeBudget(budget.get(), speed(base, examples, choice, Optional.of(rules.choose())));
        }
        return Optional.of(rules.choose());
    }

    /** Tokens a second, from a probe of what would be trained if there were time. */
    private double speed(BaseModel base, TrainingData examples, AdapterOptions.Choice choice,
            Optional<Hyperparameters> chosen) {
        TrainingOptions options = options(chosen);
        try (PeftModel tuned = tuned(base, examples, choice.with(chosen), options.batchSize())) {
            return examples.estimate(builder(tuned, options).control(TrainingControl.defaults()), tuned)
                    .tokensPerSecond();
        }
    }

    /** Says what rules have chosen, and why. */
    static void sayChosen(Console console, Optional<Hyperparameters> chosen) {
        chosen.ifPresent(values -> values.reasons().forEach((name, reason) ->
                console.say("auto:       %s %s", name.replace('_', ' '), reason)));
    }

    /** The numbers; where they are {@code auto}, those that were chosen. */
    final TrainingOptions options(Optional<Hyperparameters> chosen) {
        TrainingOptions usual = TrainingOptions.defaults();
        boolean warms = chosen.isPresent() && learningRate.value().isEmpty() && !isGiven("--warmup-steps");
        return new TrainingOptions(epochs.value().orElse(chosen.map(Hyperparameters::epochs).orElse(usual.epochs())),
                batchSize.value().orElse(chosen.map(Hyperparameters::batchSize).orElse(usual.batchSize())),
                chosen.map(Hyperparameters::gradientAccumulation).orElse(gradientAccumulation),
                learningRate.value().orElse(chosen.map(Hyperparameters::learningRate).orElse(usual.learningRate())),
                schedule, warms ? chosen.get().warmupSteps() : warmupSteps,
                weightDecay, maxGradNorm, seed, !noShuffle, usual.sharePrefixes(), packing, packTokens, recompute);
    }

    /** A trainer without an output folder. */
    final TrainerBuilder builder(PeftModel tuned, TrainingOptions options) {
        TrainerBuilder builder = Trainer.builder(tuned).options(options).logProgress(false).masking(learned.masking())
                .updateRule(rule(tuned)).control(fromOptions(control::control))
                .learning(fromOptions(updates::learning));
        return maxLength == null ? builder : builder.maxLength(maxLength);
    }

    private UpdateRule rule(PeftModel tuned) {
        if (loraPlusRatio != null) {
            return new LoraPlus(loraPlusRatio);
        }
        return loraFa ? LoraFa.of(tuned) : UpdateRule.PLAIN;
    }

    /** The packing of a name. */
    static PackOptions.Strategy packing(String name) {
        try {
            return PackOptions.Strategy.named(name);
        } catch (ConfigurationException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    /** The schedule of a name. */
    static LearningRateSchedule schedule(String name) {
        try {
            return LearningRateSchedule.named(name);
        } catch (ConfigurationException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
