package io.peft4j.core.gguf;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.FuzzReport;
import io.peft4j.core.io.Mutator;
import io.peft4j.core.io.TestFiles;
import io.peft4j.core.weight.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files are read or refused. The seeds are fixed, so a failure comes back. */
@Tag("full")
class GgufFuzzTest {
    private static final int FILES = 6000;
    /** The files have at most 21 kB, their tensors 62 kB as floats. */
    private static final long MAX_ALLOCATED = 1 << 20;

    @TempDir
    Path folder;

    @BeforeEach
    void loadClasses() {
        // What the first reading of a file allocates once is not the file's doing.
        readAll(TestFiles.fixture("gguf/metadata.gguf"));
        readAll(TestFiles.fixture("gguf/types.gguf"));
    }

    @Test
    void theHeadAtRandom() throws IOException {
        List<Path> fixtures = List.of(TestFiles.fixture("gguf/metadata.gguf"), TestFiles.fixture("gguf/types.gguf"));
        Mutator mutator = new Mutator(20243);
        FuzzReport report = new FuzzReport(MAX_ALLOCATED);
        Path path = folder.resolve("f.gguf");
        for (int i = 0; i < FILES; i++) {
            Path fixture = fixtures.get(i % fixtures.size());
            int head = headLength(fixture);
            Files.write(path, mutator.mutate(Files.readAllBytes(fixture), i % 3 == 0 ? 64 : head));
            report.run("file " + i, path, GgufFuzzTest::readAll);
        }
        report.assertBothKinds(100);
    }

    @Test
    void theDataAtRandom() throws IOException {
        Path fixture = TestFiles.fixture("gguf/random.gguf");
        byte[] bytes = Files.readAllBytes(fixture);
        Mutator mutator = new Mutator(20244);
        FuzzReport report = new FuzzReport(MAX_ALLOCATED);
        Path path = folder.resolve("f.gguf");
        for (int i = 0; i < 1000; i++) {
            Files.write(path, mutator.mutate(bytes, bytes.length));
            report.run("file " + i, path, GgufFuzzTest::readAll);
        }
        report.assertBothKinds(50);
    }

    private static int headLength(Path path) {
        try (GgufFile file = GgufFile.open(path)) {
            return (int) file.tensors().values().iterator().next().offset();
        }
    }

    /** Reads every value and every tensor in every way; those of a type that cannot be read must say so. */
    private static void readAll(Path path) {
        try (GgufFile file = GgufFile.open(path)) {
            GgufMetadata metadata = file.metadata();
            for (String key : metadata.keys()) {
                askForEveryType(metadata, key);
            }
            for (TensorInfo tensor : file.tensors().values()) {
                file.bytes(tensor.name());
                file.address(tensor.name());
                if (tensor.type().isPresent()) {
                    file.readFloats(tensor.name());
                } else {
                    assertThrows(FileFormatException.class, () -> file.readFloats(tensor.name()));
                }
            }
        }
    }

    private static void askForEveryType(GgufMetadata metadata, String key) {
        List<Runnable> questions = List.of(() -> metadata.string(key), () -> metadata.integer(key),
                () -> metadata.floating(key), () -> metadata.bool(key), () -> metadata.strings(key),
                () -> metadata.integers(key), () -> metadata.floats(key), () -> metadata.value(key));
        for (Runnable question : questions) {
            try {
                question.run();
            } catch (FileFormatException e) {
                // At most two of the questions fit the value.
                continue;
            }
        }
    }
}
