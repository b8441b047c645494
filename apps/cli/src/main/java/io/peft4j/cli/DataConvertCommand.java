package io.peft4j.cli;

import io.peft4j.core.error.Count;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.ExampleWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code peft4j data convert}: writes data in another format. */
@Command(name = "convert", sortOptions = false, description = {"Writes data in another format. Stops at the first "
        + "row that is invalid or cannot be expressed in that format."})
final class DataConvertCommand extends PeftCommand {
    @Parameters(paramLabel = "FILE", description = "The data: JSON Lines, JSON, CSV or TSV, compressed or not.")
    private Path data;

    @Mixin
    private RowsOutput output;

    @Mixin
    private DataInput input;

    @Override
    public Integer call() {
        Path target = output.choose(List.of(data));
        try (ExampleReader reader = ExampleReader.open(input.file(data));
                ExampleWriter writer = output.open(target);
                DataProgress progress = new DataProgress(console())) {
            reader.stream().forEach(example -> {
                writer.write(example);
                progress.to("converting", writer.rows());
            });
            writer.commit();
            console().say("%s in %s", Count.of(writer.rows(), "row"), target);
        }
        return 0;
    }
}
