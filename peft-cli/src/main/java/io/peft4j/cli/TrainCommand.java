package io.peft4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.measure.internal.ProcessUsage;
import io.peft4j.core.peft.MergeCheck;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.Passport;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.lora.LoraFa;
import io.peft4j.lora.LoraPlus;
import io.peft4j.models.BaseModel;
import io.peft4j.trackers.Tracker;
import io.peft4j.trackers.Trackers;
import io.peft4j.trackers.TrackingListener;
import io.peft4j.train.Cancellation;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.RunStart;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.TrainingResult;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code peft4j train}: an adapter from chat data. */
@Command(name = "train", sortOptions = false, description = {"Trains an adapter on chats, or on rows for "
        + "another objective.",
    "The output folder is an adapter in Hugging Face PEFT's form with the tokenizer beside it; metrics.jsonl holds a "
            + "line a step. Ctrl-C stops after the current step and leaves a usable adapter."})
final class TrainCommand extends PeftCommand {
    /** The most batches that first values are computed from. */
    private static final int CALIBRATION_BATCHES = 32;

    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--data", required = true, paramLabel = "FILE",
            description = "Training data: {\"messages\": [...]} a line, or as --objective says.")
    private Path data;

    @Option(names = "--validation", paramLabel = "FILE",
            description = "Validation data, whose loss is measured before training and after each epoch.")
    private Path validation;

    @Option(names = "--output", required = true, paramLabel = "DIR",
            description = "Folder for the adapter; must not contain a run.")
    private Path output;

    @Mixin
    private AdapterOptions adapter;

    @Option(names = "--epochs", paramLabel = "N", defaultValue = "3",
            description = "Passes over the data. Default: ${DEFAULT-VALUE}")
    private int epochs;

    @Option(names = "--batch-size", paramLabel = "N", defaultValue = "8",
            description = "Examples per forward pass. Default: ${DEFAULT-VALUE}")
    private int batchSize;

    @Option(names = "--gradient-accumulation", paramLabel = "N", defaultValue = "1",
            description = "Forward passes per step. Default: ${DEFAULT-VALUE}")
    private int gradientAccumulation;

    @Option(names = "--learning-rate", paramLabel = "X", defaultValue = "2e-4",
            description = "Peak learning rate. Default: ${DEFAULT-VALUE}")
    private double learningRate;

    @Option(names = "--schedule", paramLabel = "linear|cosine|constant", defaultValue = "linear",
            description = "Decay of the learning rate. Default: ${DEFAULT-VALUE}")
    private LearningRateSchedule schedule;

    @Option(names = "--warmup-steps", paramLabel = "N", defaultValue = "0",
            description = "Steps over which the learning rate rises first. Default: ${DEFAULT-VALUE}")
    private int warmupSteps;

    @Option(names = "--weight-decay", paramLabel = "X", defaultValue = "0",
            description = "Decoupled weight decay. Default: ${DEFAULT-VALUE}")
    private double weightDecay;

    @Option(names = "--max-grad-norm", paramLabel = "X", defaultValue = "1",
            description = "Gradients are clipped to this norm; 0 means never. Default: ${DEFAULT-VALUE}")
    private double maxGradNorm;

    @Option(names = "--loraplus-ratio", paramLabel = "X",
            description = "LoRA+: trains B with X times the learning rate of A; 16 is usual.")
    private Double loraPlusRatio;

    @Option(names = "--lora-fa", description = "LoRA-FA: freezes A and trains only B.")
    private boolean loraFa;

    @Option(names = "--max-length", paramLabel = "N",
            description = "Longer examples are left out and listed. Default: the model's limit")
    private Integer maxLength;

    @Mixin
    private ObjectiveOptions objective;

    @Mixin
    private LearnedOptions learned;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0",
            description = "Seed of initialization, order and dropout. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(names = "--no-shuffle", description = "Keeps the examples in order.")
    private boolean noShuffle;

    @Option(names = "--packing", paramLabel = "NAME", defaultValue = "in-order", description = "How examples are "
            + "batched: in-order (as a plain shuffled loader), length-buckets, best-fit (with "
            + "--pack-tokens), shared-prefixes. Default: ${DEFAULT-VALUE}")
    private PackOptions.Strategy packing;

    @Option(names = "--pack-tokens", paramLabel = "N", defaultValue = "0", description = "Fills batches up to N "
            + "tokens, instead of --batch-size. Not with in-order.")
    private int packTokens;

    @Option(names = "--recompute",
            description = "Recomputes decoder layers in the backward pass: less memory, more time.")
    private boolean recompute;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--checkpoint-steps", paramLabel = "N", defaultValue = "0",
            description = "Steps between checkpoints (checkpoint-N in the output folder). Default: none, but one "
                    + "when the training is interrupted")
    private int checkpointSteps;

    @Mixin
    private ControlOptions control;

    @Option(names = "--tracker", paramLabel = "NAME[=PLACE]", description = "Where the training can be watched besides "
            + "metrics.jsonl: tensorboard[=DIR], mlflow[=URI], wandb[=DIR], csv[=FILE]; may be given repeatedly.")
    private List<String> trackers = List.of();

    @Option(names = "--resume", description = "Continues from the last checkpoint in the output folder, with the "
            + "same options, data and model; the result equals that of an uninterrupted training.")
    private boolean resume;

    @Option(names = "--resume-or-start", description = "Resumes the training in the output folder, or starts one "
            + "if there is none.")
    private boolean resumeOrStart;

    @Option(names = "--json", description = "Prints a JSON line per step and one at the end on stdout.")
    private boolean json;

    @Override
    public Integer call() {
        TrainingOptions options = fromOptions(this::options);
        if (maxLength != null && maxLength < 1 || checkpointSteps < 0) {
            throw usage("--max-length must be at least 1, and --checkpoint-steps 0 (none) or more");
        }
        if (loraFa && loraPlusRatio != null) {
            throw usage("--loraplus-ratio and --lora-fa are mutually exclusive: with --lora-fa only B is trained");
        }
        Optional.ofNullable(loraPlusRatio).ifPresent(ratio -> fromOptions(() -> new LoraPlus(ratio)));
        if (packTokens > 0 && isGiven("--batch-size")) {
            throw usage("--pack-tokens replaces --batch-size; they are mutually exclusive");
        }
        if (!objective.isOfChats() && (maxLength != null || isGiven("--learn"))) {
            throw usage("--max-length and --learn are for --objective sft; texts of other objectives are cut to the "
                    + "model's limit");
        }
        if (resume && resumeOrStart) {
            throw usage("--resume and --resume-or-start are mutually exclusive");
        }
        fromOptions(control::control);
        List<Tracker> tracking = fromOptions(() -> trackers.stream().map(word -> Trackers.of(word, output)).toList());
        AdapterOptions.Choice choice = adapter.choice(this);
        Trainer.requireOutput(output, start());
        TrainingData examples = objective.read(data, Optional.ofNullable(validation));
        Cancellation cancellation = new Cancellation();
        Console console = console();
        try (BaseModel base = engine.load(model, console, examples::task);
                PeftModel tuned = choice.on(base, seed,
                        () -> examples.calibration(base, batchSize, CALIBRATION_BATCHES));
                TrainingProgress progress = new TrainingProgress(console, json);
                Interrupts.Registration stopping = interrupts().stopping(cancellation, console)) {
            sayConfiguration(console, base, tuned, options, choice);
            TrainerBuilder trainer = trainer(tuned, options).cancellation(cancellation).listener(progress);
            trainer.listener(new TrackingListener(output.toAbsolutePath().getFileName().toString(), tracking)
                    .withOutput(output));
            TrainingResult result = examples.train(trainer, tuned);
            verify(base);
            if (examples instanceof TrainingData.Chats) {
                addTexts(console, tuned);
            }
            progress.close();
            console.say("%s, peak memory %s", result, PeakMemory.text());
            if (json) {
                console.print(line(result));
            }
            return 0;
        }
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

    private TrainingOptions options() {
        return new TrainingOptions(epochs, batchSize, gradientAccumulation, learningRate, schedule, warmupSteps,
                weightDecay, maxGradNorm, seed, !noShuffle, TrainingOptions.defaults().sharePrefixes(),
                packing, packTokens, recompute);
    }

    private TrainerBuilder trainer(PeftModel tuned, TrainingOptions options) {
        TrainerBuilder builder = Trainer.builder(tuned).options(options).masking(learned.masking())
                .updateRule(rule(tuned)).control(fromOptions(control::control)).output(output)
                .checkpointEverySteps(checkpointSteps).start(start());
        return maxLength == null ? builder : builder.maxLength(maxLength);
    }

    private UpdateRule rule(PeftModel tuned) {
        if (loraPlusRatio != null) {
            return new LoraPlus(loraPlusRatio);
        }
        return loraFa ? LoraFa.of(tuned) : UpdateRule.PLAIN;
    }

    private RunStart start() {
        return resume ? RunStart.RESUME : resumeOrStart ? RunStart.RESUME_OR_START : RunStart.NEW;
    }

    /** What is written about an adapter is of less worth than the adapter, which is saved. */
    private void addTexts(Console console, PeftModel tuned) {
        try {
            Passport.addTexts(output, tuned, MergeCheck.SAMPLE_TEXTS);
        } catch (UncheckedIOException e) {
            console.say("warning: the adapter is saved, but not the sample texts beside it: %s", e.getMessage());
        }
    }

    /** Success is reported only for an adapter that can be loaded. */
    private void verify(BaseModel base) {
        base.withAdapter(output).close();
    }

    private void sayConfiguration(Console console, BaseModel base, PeftModel tuned, TrainingOptions options,
            AdapterOptions.Choice choice) {
        PeftConfig config = tuned.adapter(PeftModel.DEFAULT_ADAPTER).config();
        console.say("model:      %s", EngineOptions.describe(base));
        console.say("adapter:    %s, %s", choice.origin(), tuned.trainableSummary());
        console.say("            %s", inShort(config));
        console.say("data:       %s%s", data, validation == null ? ", no validation data" : ", validation "
                + validation);
        console.say("training:   epochs %d, %s, packing %s, gradient accumulation %d, max length %s, %s, seed %d",
                options.epochs(), options.packTokens() > 0 ? "batches of " + options.packTokens() + " tokens"
                : "batch size " + options.batchSize(), options.packing(), options.gradientAccumulation(),
                maxLength == null ? "the model's" : maxLength, options.shuffle() ? "shuffled" : "in order",
                options.seed());
        console.say("optimizer:  AdamW, learning rate %s, %s, warm-up steps %d, weight decay %s, max grad norm %s",
                options.learningRate(), options.schedule().name().toLowerCase(Locale.ROOT), options.warmupSteps(),
                options.weightDecay(), options.maxGradNorm());
        console.say("output:     %s, %s%s", output, checkpointSteps == 0 ? "no checkpoints"
                : "a checkpoint every " + checkpointSteps + " steps", start() == RunStart.NEW ? "" : ", resuming");
    }

    /** The keys that are set, in one line. */
    private static JsonNode inShort(PeftConfig config) {
        try {
            JsonNode all = Json.MAPPER.readTree(config.toJson());
            Iterator<JsonNode> values = all.elements();
            while (values.hasNext()) {
                JsonNode value = values.next();
                if (value.isNull() || value.isContainerNode() && value.isEmpty()) {
                    values.remove();
                }
            }
            return all;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a configuration writes itself as JSON", e);
        }
    }

    private ObjectNode line(TrainingResult result) {
        ObjectNode line = Json.MAPPER.createObjectNode().put("adapter", output.toString())
                .put("steps", result.plan().doneSteps() + result.steps().size())
                .put("cancelled", result.cancelled())
                .put("ending", result.ending().name().toLowerCase(Locale.ROOT)).put("seconds", result.seconds());
        result.finalTrainLoss().ifPresent(loss -> line.put("train_loss", loss)
                .put("tokens_per_s", result.tokensPerSecond()));
        result.finalEvalLoss().ifPresent(loss -> line.put("eval_loss", loss));
        ProcessUsage.peakResidentBytes().ifPresent(bytes -> line.put("peak_rss_mb", bytes / 1_000_000));
        return line;
    }
}
