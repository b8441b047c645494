package io.peft4j.data.format;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.data.example.Example;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What was written is read again, in every format and every kind of file. */
class ReadBackProperties {
    private record Written(DataFormat format, String ending, List<Example> examples) {
    }

    @Provide
    Arbitrary<Written> written() {
        // Rows of tasks are recognised by those who check and clean them.
        return ArbitraryExamples.formats().filter(format -> format != DataFormat.TASK).flatMap(format -> {
            Arbitrary<String> endings = format == DataFormat.QA
                    ? Arbitraries.of(".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv", ".tsv", ".tsv.gz")
                    : Arbitraries.of(".jsonl", ".jsonl.gz", ".jsonl.zst");
            return Combinators.combine(endings, ArbitraryExamples.of(format).list().ofMinSize(1).ofMaxSize(8))
                    .as((ending, examples) -> new Written(format, ending, examples));
        });
    }

    @Property(tries = 500, seed = "101")
    void writtenRowsAreReadBack(@ForAll("written") Written written) throws IOException {
        Path folder = Files.createTempDirectory("read-back");
        Path file = folder.resolve("set" + written.ending());
        try {
            try (ExampleWriter writer = ExampleWriter.open(file, written.format())) {
                written.examples().forEach(writer::write);
                writer.commit();
            }
            try (ExampleReader reader = ExampleReader.open(file)) {
                assertEquals(written.examples(), reader.stream().map(e -> e.at(ArbitraryExamples.NOWHERE)).toList());
                assertEquals(Optional.of(written.format()), reader.format());
            }
            try (var files = Files.list(folder)) {
                assertEquals(List.of(file), files.toList());
            }
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }
}
