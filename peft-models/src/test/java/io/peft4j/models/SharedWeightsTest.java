package io.peft4j.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.models.hub.HubOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedWeightsTest {
    private static final Path TINY = Path.of("../tests/fixtures", "tiny-llama");
    private static final Path CONVERTED = HubOptions.fromEnvironment().cacheFolder().resolve(".peft4j/converted");

    @TempDir
    private Path folder;
    private Set<Path> before;

    @BeforeEach
    void copyTheModel() throws IOException {
        before = files();
        try (Stream<Path> all = Files.list(TINY)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
    }

    @AfterEach
    void removeWhatWasConverted() throws IOException {
        for (Path file : made()) {
            Files.delete(file);
        }
    }

    private static Set<Path> files() throws IOException {
        if (!Files.exists(CONVERTED)) {
            return Set.of();
        }
        try (Stream<Path> all = Files.list(CONVERTED)) {
            return new HashSet<>(all.toList());
        }
    }

    private Set<Path> made() throws IOException {
        Set<Path> made = new HashSet<>(files());
        made.removeAll(before);
        return made;
    }

    private Path converted() throws IOException {
        List<Path> found = made().stream().filter(file -> file.toString().endsWith(".safetensors")).toList();
        assertEquals(1, found.size(), found::toString);
        return found.get(0);
    }

    private double likelihood(Precision precision, boolean shared) {
        try (BaseModel model = BaseModel.load(folder.toString(), ModelOptions.defaults().withPrecision(precision)
                .withThreads(2).withSharedWeights(shared))) {
            return SequenceScorer.negativeLogLikelihoods(model, List.of(TokenSequence.allSupervised(
                    model.tokenizer().encodeWithSpecials("The keeper of the house is away."))))[0];
        }
    }

    @Test
    void weightsThatTheFileHasInTheirTypeAreUsedThere() throws IOException {
        assertEquals(likelihood(Precision.F32, false), likelihood(Precision.F32, true));
        assertTrue(made().isEmpty());
    }

    @Test
    void convertedWeightsAreWrittenOnceAndAgainWhenTheModelHasChanged() throws IOException {
        double alone = likelihood(Precision.BF16, false);

        assertEquals(alone, likelihood(Precision.BF16, true));
        Path first = converted();
        FileTime written = Files.getLastModifiedTime(first);
        assertEquals(alone, likelihood(Precision.BF16, true));
        assertEquals(written, Files.getLastModifiedTime(converted()));

        Files.setLastModifiedTime(folder.resolve("model.safetensors"), FileTime.fromMillis(1_000_000));
        assertEquals(alone, likelihood(Precision.BF16, true));
        assertTrue(!first.equals(converted()));
    }
}
