package io.peft4j.serve.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingFileTest {
    private static final Runnable NOTHING = () -> {
    };
    private static final String ROW = "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},"
            + "{\"role\":\"assistant\",\"content\":\"a\"}]}\n";

    @TempDir
    private Path folder;

    private Path compressed(String row, int times) throws IOException {
        Path file = folder.resolve("rows.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            byte[] bytes = row.getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < times; i++) {
                out.write(bytes);
            }
        }
        return file;
    }

    @Test
    void aFileWithinTheMemoryIsFine() throws IOException {
        assertEquals(new TrainingFile.Look(10, Optional.empty(), Optional.empty()),
                TrainingFile.look(compressed(ROW, 10), 2000, NOTHING));
    }

    @Test
    void aFileThatUnpacksToTooMuchIsGivenUpWhereItDoes() throws IOException {
        TrainingFile.Look look = TrainingFile.look(compressed(ROW, 100_000), 100_000, NOTHING);
        assertTrue(look.rows() < 2000, look.toString());
        assertTrue(look.tooLarge().orElseThrow().contains("more than this server has memory for"), look.toString());
    }

    @Test
    void aLookThatNobodyWaitsForIsGivenUp() throws IOException {
        Path file = compressed(ROW, 100_000);
        AtomicInteger looks = new AtomicInteger();
        assertThrows(CancellationException.class, () -> TrainingFile.look(file, Long.MAX_VALUE, () -> {
            if (looks.incrementAndGet() == 3) {
                throw new CancellationException("nobody waits");
            }
        }));
        assertEquals(3, looks.get());
    }

    /** Lines that are no rows take memory, too, and the first of them is reported. */
    @Test
    void linesThatAreNoRowsCount() throws IOException {
        TrainingFile.Look look = TrainingFile.look(compressed("x\n", 100_000), 100_000, NOTHING);
        assertTrue(look.rows() < 2000, look.toString());
        assertTrue(look.fault().orElseThrow().startsWith("line 1: "), look.toString());
        assertTrue(look.tooLarge().isPresent(), look.toString());
    }
}
