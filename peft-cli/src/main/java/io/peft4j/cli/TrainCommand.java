package io.peft4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Cancellation;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.TrainingResult;
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
@Command(name = "train", sortOptions = false, description = {"Trains an adapter on chat data.",
    "The output folder is an adapter in Hugging Face PEFT's form with the tokenizer beside it; metrics.jsonl holds a "
            + "line a step. Ctrl-C stops after the step that runs and leaves a usable adapter."})
final class TrainCommand extends PeftCommand {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--data", required = true, paramLabel = "FILE",
            description = "Training data: {\"messages\": [...]} a line.")
    private Path data;

    @Option(names = "--validation", paramLabel = "FILE",
            description = "Data whose loss is measured before training and after each epoch.")
    private Path validation;

    @Option(names = "--output", required = true, paramLabel = "DIR",
            description = "Folder for the adapter; must not hold a run yet.")
    private Path output;

    @Mixin
    private AdapterOptions adapter;

    @Option(names = "--epochs", paramLabel = "N", defaultValue = "3",
            description = "Passes over the data. Default: ${DEFAULT-VALUE}")
    private int epochs;

    @Option(names = "--batch-size", paramLabel = "N", defaultValue = "8",
            description = "Examples a forward pass. Default: ${DEFAULT-VALUE}")
    private int batchSize;

    @Option(names = "--gradient-accumulation", paramLabel = "N", defaultValue = "1",
            description = "Forward passes a step. Default: ${DEFAULT-VALUE}")
    private int gradientAccumulation;

    @Option(names = "--learning-rate", paramLabel = "X", defaultValue = "2e-4",
            description = "The highest learning rate. Default: ${DEFAULT-VALUE}")
    private double learningRate;

    @Option(names = "--schedule", paramLabel = "linear|cosine|constant", defaultValue = "linear",
            description = "How the learning rate falls. Default: ${DEFAULT-VALUE}")
    private LearningRateSchedule schedule;

    @Option(names = "--warmup-steps", paramLabel = "N", defaultValue = "0",
            description = "Steps over which it rises first. Default: ${DEFAULT-VALUE}")
    private int warmupSteps;

    @Option(names = "--weight-decay", paramLabel = "X", defaultValue = "0",
            description = "Decoupled weight decay. Default: ${DEFAULT-VALUE}")
    private double weightDecay;

    @Option(names = "--max-grad-norm", paramLabel = "X", defaultValue = "1",
            description = "Norm that gradients are clipped to; 0: never. Default: ${DEFAULT-VALUE}")
    private double maxGradNorm;

    @Option(names = "--max-length", paramLabel = "N",
            description = "Longer examples are left out and listed. Default: the model's limit")
    private Integer maxLength;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0",
            description = "Seed of first values, order and dropout. Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(names = "--no-shuffle", description = "Takes the examples in their order.")
    private boolean noShuffle;

    @Option(names = "--recompute",
            description = "Computes decoder layers twice rather than keep their values: less memory, more time.")
    private boolean recompute;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--resume", description = "Goes on with an interrupted training. Not yet in this version.")
    private boolean resume;

    @Option(names = "--json", description = "Prints a JSON line a step and one at the end on stdout.")
    private boolean json;

    @Override
    public Integer call() {
        if (resume) {
            throw usage("--resume is not possible in this version, which writes no checkpoints. Start a training with "
                    + "another --output; --adapter-init goes on from an adapter's weights, with a fresh optimizer");
        }
        TrainingOptions options = fromOptions(this::options);
        if (maxLength != null && maxLength < 1) {
            throw usage("--max-length is " + maxLength + "; it must be at least 1");
        }
        AdapterOptions.Choice choice = adapter.choice(this);
        ChatDataset examples = ChatDataset.read(data);
        Optional<ChatDataset> held = Optional.ofNullable(validation).map(ChatDataset::read);
        Cancellation cancellation = new Cancellation();
        Console console = console();
        try (BaseModel base = engine.load(model, console);
                PeftModel tuned = choice.on(base, seed);
                TrainingProgress progress = new TrainingProgress(console, json);
                Interrupts.Registration stopping = interrupts().stopping(cancellation, console)) {
            sayConfiguration(console, base, tuned, options, choice);
            ChatEncoder encoder = encoder(base);
            int limit = maxLength == null ? base.network().description().maxPositions() : maxLength;
            List<TokenSequence> sequences = encoder.encode(examples, limit).sequences();
            Trainer trainer = trainer(tuned, options)
                    .validation(held.map(h -> encoder.encode(h, limit).sequences()).orElse(List.of()))
                    .cancellation(cancellation).listener(progress).build();
            TrainingResult result = trainer.train(sequences);
            verify(base);
            progress.sayResult(result);
            console.say("The adapter is in %s", output);
            if (json) {
                console.print(line(result));
            }
            return 0;
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
                recompute);
    }

    private Trainer.Builder trainer(PeftModel tuned, TrainingOptions options) {
        return Trainer.builder(tuned).epochs(options.epochs()).batchSize(options.batchSize())
                .gradientAccumulation(options.gradientAccumulation()).learningRate(options.learningRate())
                .schedule(options.schedule()).warmupSteps(options.warmupSteps()).weightDecay(options.weightDecay())
                .maxGradNorm(options.maxGradNorm()).seed(options.seed()).shuffle(options.shuffle())
                .recompute(options.recompute()).output(output);
    }

    private static ChatEncoder encoder(BaseModel base) {
        return new ChatEncoder(base.tokenizer(), base.chatTemplate().orElseThrow(() -> new ConfigurationException(
                base.network().description().name() + " has no chat template; give a checkpoint of a chat model")));
    }

    /** Success is said only of an adapter that can be loaded. */
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
        console.say("training:   epochs %d, batch size %d, gradient accumulation %d, max length %s, %s, seed %d",
                options.epochs(), options.batchSize(), options.gradientAccumulation(),
                maxLength == null ? "the model's" : maxLength, options.shuffle() ? "shuffled" : "in order",
                options.seed());
        console.say("optimizer:  AdamW, learning rate %s, %s, warm-up steps %d, weight decay %s, max grad norm %s",
                options.learningRate(), options.schedule().name().toLowerCase(Locale.ROOT), options.warmupSteps(),
                options.weightDecay(), options.maxGradNorm());
        console.say("output:     %s", output);
    }

    /** The keys that are set, in one line. */
    private static JsonNode inShort(PeftConfig config) {
        try {
            JsonNode all = JSON.readTree(config.toJson());
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
        ObjectNode line = JSON.createObjectNode().put("adapter", output.toString()).put("steps", result.steps().size())
                .put("cancelled", result.cancelled()).put("seconds", result.seconds());
        result.finalTrainLoss().ifPresent(loss -> line.put("train_loss", loss)
                .put("tokens_per_s", result.tokensPerSecond()));
        if (!result.evaluations().isEmpty()) {
            line.put("eval_loss", result.evaluations().get(result.evaluations().size() - 1).loss());
        }
        ProcessUsage.peakResidentBytes().ifPresent(bytes -> line.put("peak_rss_mb", bytes / 1_000_000));
        return line;
    }
}
