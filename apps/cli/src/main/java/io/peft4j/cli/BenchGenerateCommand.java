package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.data.PromptRows;
import io.peft4j.eval.GenerationBenchmark;
import io.peft4j.eval.GenerationBenchmark.GenerationMeasurement;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j bench generate}: the speed of answering. */
@Command(name = "generate", sortOptions = false, description = {"Measures greedy generation.",
    "Where all prompts fit in one batch, the share of memory bandwidth is the rate at which decoding reads the weights "
            + "against the rate of reading memory, measured in the same process."})
final class BenchGenerateCommand extends PeftCommand {
    private static final BenchCommand.Shape ONE = new BenchCommand.Shape(1, 64);

    @Mixin
    private AdaptedModelOptions model;

    @ArgGroup
    private Source source = new Source();

    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "64",
            description = "Most tokens of an answer. Default: ${DEFAULT-VALUE}")
    private int maxNewTokens;

    @Option(names = "--batch-size", paramLabel = "N", defaultValue = "32",
            description = "Prompts in a batch. Default: ${DEFAULT-VALUE}")
    private int batchSize;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "3",
            description = "Number of runs over all prompts; the fastest counts. Default: ${DEFAULT-VALUE}")
    private int runs;

    @Mixin
    private JsonOption json;

    /** Where prompts come from; one of random tokens without any of these. */
    private static final class Source {
        @Option(names = "--shape", paramLabel = "BxT", description = "B prompts of T random tokens. Default: 1x64")
        private BenchCommand.Shape shape;

        @Option(names = "--prompt", paramLabel = "TEXT", description = "One prompt.")
        private String prompt;

        @Option(names = "--data", paramLabel = "FILE",
                description = "Prompts, one JSON object a line, as peft4j generate reads them.")
        private Path data;
    }

    @Override
    public Integer call() {
        if (runs < 1) {
            throw usage("--steps must be at least 1");
        }
        GenerationOptions options = fromOptions(() -> GenerationOptions.defaults().withMaxNewTokens(maxNewTokens)
                .withBatchSize(batchSize));
        return model.with(console(), (loaded, base) -> measure(loaded, base, options));
    }

    private int measure(LanguageModel loaded, BaseModel base, GenerationOptions options) {
        GenerationMeasurement figures = new GenerationBenchmark(loaded, prompts(loaded), options, model.threads(), runs)
                .run();
        if (json.isGiven()) {
            ObjectNode line = line(figures);
            BenchCommand.putEngine(line, base, model.threads());
            console().print(line);
        } else {
            show(console(), figures);
        }
        return 0;
    }

    private List<Prompt> prompts(LanguageModel loaded) {
        boolean chat = loaded.chatTemplate().isPresent();
        if (source.data != null) {
            return PromptRows.read(source.data, chat);
        }
        if (source.prompt != null) {
            return List.of(PromptRows.ofText(source.prompt, chat));
        }
        BenchCommand.Shape shape = source.shape == null ? ONE : source.shape;
        return GenerationBenchmark.randomPrompts(loaded, shape.sequences(), shape.tokens(), 0);
    }

    private static ObjectNode line(GenerationMeasurement figures) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode().put("tokens_per_s", figures.tokensPerSecond())
                .put("examples_per_s", figures.prompts() / figures.seconds()).put("seconds", figures.seconds())
                .put("prompts", figures.prompts()).put("new_tokens", figures.newTokens())
                .put("first_token_ms", 1e3 * figures.firstTokenSeconds()).put("weight_bytes", figures.weightBytes())
                .put("memory_gb_per_s", figures.memoryGigabytesPerSecond());
        figures.stepsPerSecond().ifPresent(rate -> line.put("decode_steps_per_s", rate));
        figures.shareOfBandwidth().ifPresent(share -> line.put("share_of_bandwidth", share));
        figures.peakResidentBytes().ifPresent(bytes -> line.put("peak_rss_mb", bytes / 1_000_000));
        return line;
    }

    private static void show(Console console, GenerationMeasurement figures) {
        console.out().printf(Locale.ROOT, "%.1f tokens/s: %s for %s in %.2f s, prompts included%n",
                figures.tokensPerSecond(), Count.of(figures.newTokens(), "token"),
                Count.of(figures.prompts(), "prompt"), figures.seconds());
        console.out().printf(Locale.ROOT, "first token of one prompt after %.0f ms, peak memory %s%n",
                1e3 * figures.firstTokenSeconds(), PeakMemory.text(figures.peakResidentBytes()));
        if (figures.stepsPerSecond().isPresent()) {
            console.out().printf(Locale.ROOT, "%.1f steps of decoding a second, %.0f %% of the bandwidth of memory%n",
                    figures.stepsPerSecond().getAsDouble(), 100 * figures.shareOfBandwidth().getAsDouble());
        }
        console.out().printf(Locale.ROOT, "memory is read at %.1f GB/s, a step reads %,d MB of weights%n",
                figures.memoryGigabytesPerSecond(), figures.weightBytes() / 1_000_000);
        console.checkOut();
    }
}
