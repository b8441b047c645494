package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.RowEncoder;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.export.ModelExport.ExportReport;
import io.peft4j.models.export.SmallestExport;
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

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "f32",
            description = "Type of the matrices: f32, f16, bf16, and for GGUF files q8_0, q5_1, q5_0, q4_1 or q4_0. "
                    + "Default: ${DEFAULT-VALUE}")
    private String type;

    @Option(names = "--adapted-type", paramLabel = "TYPE", description = "Type of the matrices that the adapter "
            + "changes, in a GGUF file: q8_0 keeps more of a tuning than fewer bits. Default: as --type")
    private String adaptedType;

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

    @Option(names = "--fallback", description = "Where --prove finds too many answers lost, tries the matrices that "
            + "the adapter changes in q8_0, and the adapter beside the base, the smaller one first, and writes what "
            + "keeps enough.")
    private boolean fallback;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        BlockType chosen = fromOptions(() -> RowEncoder.type(type));
        Optional<BlockType> adapted = fromOptions(() -> Optional.ofNullable(adaptedType).map(RowEncoder::type));
        requireWith("--prove", List.of("--fallback"));
        requireWith("--adapter", List.of("--fallback", "--adapted-type"));
        if (fallback && (adapted.isPresent() || samples != null || tolerance != null || !isGguf(output))) {
            throw usage("--fallback writes GGUF files in its own ways; it goes with none of --adapted-type, --samples "
                    + "and --tolerance");
        }
        List<String> texts = samples == null ? List.of() : lines(samples);
        proof.check(this);
        existing.choose(output);
        try (BaseModel base = model.load(this, Optional.ofNullable(adapter));
                PeftModel tuned = new PeftModel(base)) {
            if (adapter != null) {
                tuned.loadAdapter(adapter);
            }
            ModelExport export = ModelExport.of(tuned).type(chosen).maxShardBytes(maxShardBytes)
                    .ifExists(existing.policy());
            if (!texts.isEmpty()) {
                export.samples(texts);
            }
            if (tolerance != null) {
                export.tolerance(tolerance);
            }
            adapted.ifPresent(export::adaptedType);
            proof.askBefore(tuned);
            if (fallback) {
                print(SmallestExport.of(tuned, chosen, written -> proof.askAfter(written, List.of()))
                        .ifExists(existing.policy()).toGguf(output));
                return 0;
            }
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
                "what keeps enough:       --fallback tries the ways in the order of their sizes",
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

    private void print(SmallestExport.Result written) {
        written.refused().forEach((way, reason) -> console().say("refused: %s: %s", way, reason));
        console().say("kept by:  %s%s", written.way(), written.adapter().map(file -> " (" + file + ")").orElse(""));
        print(written.report());
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
