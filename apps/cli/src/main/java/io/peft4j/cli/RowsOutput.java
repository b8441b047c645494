package io.peft4j.cli;

import io.peft4j.data.example.Example;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where rows are written to, and how. */
@HelpGroup(HelpGroup.OUTPUT)
final class RowsOutput {
    @Option(names = "--output", required = true, paramLabel = "FILE", description = "The file of the rows: CSV or TSV "
            + "where its name ends so, else JSON Lines; .gz and .zst compress.")
    private Path output;

    @Option(names = "--to", paramLabel = "NAME",
            description = "The format of the rows, as for --format. Default: chat; in a table qa")
    private DataFormat format;

    @Mixin
    private ExistingOptions existing;

    /** The file, which is none of those that are read, and can hold the rows. */
    Path choose(List<Path> inputs) {
        DataInput.requireOther(output, inputs);
        format = format != null ? format : ExampleWriter.isTable(output) ? DataFormat.QA : DataFormat.CHAT;
        ExampleWriter.requireHolds(output, format);
        return existing.choose(output);
    }

    /** Opens a file that {@link #choose} gave. */
    ExampleWriter open(Path file) {
        return ExampleWriter.open(file, format);
    }

    /** Writes examples to a file that is open, which appears when all are written. */
    static void write(ExampleWriter opened, List<? extends Example> examples) {
        try (ExampleWriter writer = opened.withColumnsOf(examples)) {
            examples.forEach(writer::write);
            writer.commit();
        }
    }
}
