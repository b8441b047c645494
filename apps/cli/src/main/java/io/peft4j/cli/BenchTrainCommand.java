package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.data.ChatDataset;
import io.peft4j.models.BaseModel;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.TrainingMeasurement;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j bench train}: the speed of training. */
@Command(name = "train", sortOptions = false, description = {
    "Measures training: the updates of peft4j train, on random tokens or on chat data.",
    "The share of the limit is that of the products with frozen weights, against the rate of large matrix products "
            + "measured in the same process."})
final class BenchTrainCommand extends PeftCommand {
    private static final String SHAPE = "--shape";
    private static final String BATCH = "--batch-size";
    private static final int RANDOM_STEPS = 8;

    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = SHAPE, paramLabel = "BxT", defaultValue = "4x128",
            description = "B sequences of T random tokens an update, all supervised. Default: ${DEFAULT-VALUE}")
    private BenchCommand.Shape shape;

    @Option(names = "--data", paramLabel = "FILE", description = "Chat data instead of random tokens, in its order.")
    private Path data;

    @Option(names = BATCH, paramLabel = "N", defaultValue = "8",
            description = "Examples of the data an update. Default: ${DEFAULT-VALUE}")
    private int batchSize;

    @Mixin
    private AdapterOptions adapter;

    @Option(names = "--steps", paramLabel = "N",
            description = "Updates to measure. Default: " + RANDOM_STEPS + ", of data one pass")
    private Integer steps;

    @Option(names = "--warmup", paramLabel = "N", defaultValue = "3",
            description = "Updates before these. Default: ${DEFAULT-VALUE}")
    private int warmup;

    @Option(names = "--recompute", description = "As peft4j train --recompute.")
    private boolean recompute;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        if (isGiven("--data") == isGiven(SHAPE) && data != null || data == null && isGiven(BATCH)) {
            throw usage("give " + SHAPE + " for random tokens, or --data with " + BATCH);
        }
        if (warmup < 1 || steps != null && steps < 1 || batchSize < 1) {
            throw usage("--warmup, --steps and " + BATCH + " must be at least 1");
        }
        AdapterOptions.Choice choice = adapter.choice(this);
        Console console = console();
        try (BaseModel base = engine.load(model, console);
                PeftModel tuned = choice.on(base, 0,
                        () -> CalibrationBatches.of(examples(base), data == null ? shape.sequences() : batchSize, 1))) {
            console.say("model:    %s", EngineOptions.describe(base));
            console.say("adapter:  %s", tuned.trainableSummary());
            TrainingMeasurement figures = benchmark(tuned).recompute(recompute).run();
            if (json.isGiven()) {
                ObjectNode line = line(figures);
                BenchCommand.putEngine(line, base, engine.threads());
                console.print(line);
            } else {
                show(console, figures);
            }
            return 0;
        }
    }

    private List<TokenSequence> examples(LanguageModel model) {
        return data == null ? TrainingBenchmark.randomExamples(model, (warmup + measured()) * shape.sequences(),
                shape.tokens(), 0) : TrainingBenchmark.chatExamples(model, ChatDataset.read(data));
    }

    private int measured() {
        return steps == null ? RANDOM_STEPS : steps;
    }

    private TrainingBenchmark benchmark(PeftModel tuned) {
        List<TokenSequence> examples = examples(tuned);
        if (data == null) {
            return new TrainingBenchmark(tuned, examples, shape.sequences(), warmup, measured());
        }
        int pass = (examples.size() + batchSize - 1) / batchSize;
        return new TrainingBenchmark(tuned, examples, batchSize, warmup, steps == null ? pass : steps);
    }

    private static ObjectNode line(TrainingMeasurement figures) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode().put("tokens_per_s", figures.tokensPerSecond())
                .put("examples_per_s", figures.examplesPerSecond()).put("step_ms", 1e3 * figures.stepSeconds())
                .put("first_step_s", figures.firstStepSeconds()).put("loss", figures.loss())
                .put("matmul_gflops", figures.matmulGflops()).put("share_of_limit", figures.shareOfLimit());
        figures.allocatedBytesPerStep().ifPresent(bytes -> line.put("allocated_bytes_per_step", bytes));
        figures.peakResidentBytes().ifPresent(bytes -> line.put("peak_rss_mb", bytes / 1_000_000));
        return line;
    }

    private static void show(Console console, TrainingMeasurement figures) {
        console.out().printf(Locale.ROOT, "%.0f tokens/s, %.2f examples/s, %.1f ms an update (median)%n",
                figures.tokensPerSecond(), figures.examplesPerSecond(), 1e3 * figures.stepSeconds());
        console.out().printf(Locale.ROOT, "%.0f %% of the limit of matrix products, %.0f GFLOPS%n",
                100 * figures.shareOfLimit(), figures.matmulGflops());
        console.out().printf(Locale.ROOT, "first update %.2f s after the start of the JVM, peak memory %s%n",
                figures.firstStepSeconds(), PeakMemory.text(figures.peakResidentBytes()));
        figures.allocatedBytesPerStep().ifPresent(bytes -> console.out().printf(Locale.ROOT,
                "%,d bytes allocated on the Java heap an update%n", bytes));
        console.checkOut();
    }
}
