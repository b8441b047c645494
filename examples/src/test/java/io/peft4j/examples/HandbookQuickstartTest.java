package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's program on a few rows and one epoch: what it prints and writes is what the README says. */
@Tag("model")
@Tag("full")
class HandbookQuickstartTest {
    private static final Path HANDBOOK = Path.of("handbook");

    @Test
    void theProgramOfTheReadmeRuns(@TempDir Path folder) throws Exception {
        Path few = Files.createDirectories(folder.resolve("handbook"));
        for (String name : List.of("train.jsonl", "heldout.jsonl")) {
            Files.write(few.resolve(name), Files.readAllLines(HANDBOOK.resolve(name)).subList(0, 8));
        }
        Path output = folder.resolve("adapter");
        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            HandbookQuickstart.main(new String[] {few.toString(), output.toString(), "1"});
        } finally {
            System.setOut(console);
        }
        String text = printed.toString(StandardCharsets.UTF_8);
        assertTrue(text.startsWith("trainable params: 4,884,480 || all params: 139,399,488 || trainable%: 3.50"), text);
        assertTrue(text.contains("before: ") && text.contains("after:  "), text);
        assertEquals(2, Files.readAllLines(output.resolve("metrics.jsonl")).size(), "eight rows in batches of four");
        try (BaseModel base = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct");
                PeftModel again = base.withAdapter(output)) {
            assertEquals(4_884_480, again.trainableParameterCount());
        }
    }
}
