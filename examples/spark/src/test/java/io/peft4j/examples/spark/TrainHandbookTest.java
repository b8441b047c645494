package io.peft4j.examples.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainHandbookTest {
    private static final Path BASE = Path.of("../../tests/fixtures",
            "tiny-llama");

    @Tag("full")
    @Test
    void twoTasksTrainTheAdapterTogether(@TempDir Path folder) throws IOException {
        Path data = Files.write(folder.resolve("handbook.jsonl"),
                Files.readAllLines(Path.of("..", "handbook", "train.jsonl")).subList(0, 24));
        String output = folder.resolve("adapter").toUri().toString();
        TrainHandbook.main(new String[] {BASE.toString(), data.toString(), output, "2", "1"});

        assertTrue(Files.exists(folder.resolve("adapter/adapter_config.json")));
        assertEquals(3, Files.readAllLines(folder.resolve("adapter/metrics.jsonl")).size());
    }
}
