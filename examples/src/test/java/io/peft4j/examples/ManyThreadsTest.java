package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of the page on threads: its answers are those that the adapters give alone. */
@Tag("jdk")
class ManyThreadsTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures");

    @Test
    void answersBesideATrainingAreThoseGivenAlone(@TempDir Path folder) throws Exception {
        String model = FIXTURES.resolve("tiny-llama").toString();
        Path hr = FIXTURES.resolve("adapters").resolve("lora");
        Path sales = FIXTURES.resolve("adapters").resolve("exclude");
        Path conversations = folder.resolve("few.jsonl");
        Files.write(conversations, Files.readAllLines(Path.of("handbook", "train.jsonl")).subList(0, 8));
        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            ManyThreads.main(new String[] {model, hr.toString(), sales.toString(), conversations.toString()});
        } finally {
            System.setOut(console);
        }
        try (BaseModel base = BaseModel.load(model);
                PeftModel first = base.withAdapter(hr);
                PeftModel second = base.withAdapter(sales)) {
            assertEquals(first.generate("How much leave do I have?") + System.lineSeparator()
                    + second.generate("Who is our largest customer?") + System.lineSeparator(),
                    printed.toString(StandardCharsets.UTF_8));
        }
    }
}
