package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.support.RowEncoder;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.export.ModelExport.ExportReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j adapter merge}: base and adapter as one model for other programs. */
@Command(name = "merge", sortOptions = false, description = {"Merges an adapter into its base model, in f32.",
    "The result is loaded again, and its logits on sample text are compared with those of base and adapter; a "
            + "result that differs is refused."})
final class AdapterMergeCommand extends PeftCommand {
    @Mixin
    private ExportModelOptions model;

    @Option(names = "--adapter", paramLabel = "DIR",
            description = "The adapter. Without one the base model itself is written.")
    private Path adapter;

    @Option(names = "--output", required = true, paramLabel = "DIR|FILE.gguf",
            description = "A new Hugging Face folder, or a GGUF file for llama.cpp.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--type", paramLabel = "f32|f16|bf16|q8_0", defaultValue = "f32",
            description = "Type of the matrices; q8_0 for GGUF files only. Default: ${DEFAULT-VALUE}")
    private String type;

    @Option(names = "--max-shard-bytes", paramLabel = "N", defaultValue = "5000000000",
            description = "Size limit of a weight file in a folder. Default: ${DEFAULT-VALUE}")
    private long maxShardBytes;

    @Option(names = "--samples", paramLabel = "FILE",
            description = "Sample texts to compare on, one a line. Default: a few built-in sentences")
    private Path samples;

    @Option(names = "--tolerance", paramLabel = "X",
            description = "Largest relative difference of the logits. Default: depends on the type")
    private Double tolerance;

    @Mixin
    private ProofOptions proof;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        BlockType chosen = fromOptions(() -> RowEncoder.type(type));
        List<String> texts = samples == null ? List.of() : lines(samples);
        proof.check(this);
        existing.choose(output);
        try (BaseModel base = model.load(this, Optional.ofNullable(adapter));
                PeftModel adapted = new PeftModel(base)) {
            if (adapter != null) {
                adapted.loadAdapter(adapter);
            }
            ModelExport export = ModelExport.of(adapted).type(chosen).maxShardBytes(maxShardBytes)
                    .ifExists(existing.policy());
            if (!texts.isEmpty()) {
                export.samples(texts);
            }
            if (tolerance != null) {
                export.tolerance(tolerance);
            }
            proof.askBefore(adapted);
            if (proof.isGiven()) {
                export.proof(written -> proof.askAfter(written, ways()));
            }
            print(isGguf(output) ? export.toGguf(output) : export.toFolder(output));
        }
        return 0;
    }

    /** What keeps more of a tuning than a merge into few bits. */
    private List<String> ways() {
        return adapter == null ? List.of() : List.of(
                "beside its base:         peft4j adapter convert --model " + model.name() + " --adapter " + adapter
                        + " --output adapter.gguf",
                "on the weights to serve: peft4j train --model THE-QUANTIZED-BASE.gguf --data ... --output ...",
                "in more bits:            peft4j adapter merge --model " + model.name() + " --adapter " + adapter
                        + " --type f16 --output " + output);
    }

    static boolean isGguf(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".gguf");
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    private void print(ExportReport report) {
        if (json.isGiven()) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode().put("output", report.target().toString())
                    .put("type", report.type().name()).put("bytes", report.bytes()).put("untied", report.untied())
                    .put("relative_difference", report.difference().relative())
                    .put("tolerance", report.tolerance())
                    .put("largest_difference", report.difference().largest())
                    .put("same_top_token", report.difference().sameTop());
            proof.addTo(line);
            console().print(line);
            return;
        }
        console().say("wrote %s (%s, %,d bytes): %s", report.target(), report.type(), report.bytes(),
                report.difference());
        proof.say(console());
        if (report.untied()) {
            console().say("embedding and output layer shared one weight and are two from now on");
        }
    }
}
