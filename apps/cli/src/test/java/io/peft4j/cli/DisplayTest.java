package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.models.BaseModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class DisplayTest {
    private static final Path MODEL = Path.of("../../tests/fixtures/tiny-llama");

    /** Counts the times that something was printed. */
    private static final class Terminal extends ByteArrayOutputStream {
        private int writes;

        @Override
        public void write(byte[] bytes, int offset, int count) {
            writes++;
            super.write(bytes, offset, count);
        }
    }

    @Test
    void anAnswerIsPrintedAsItComesAndSaysWhereItWasCut() {
        try (BaseModel base = BaseModel.load(MODEL.toString())) {
            String whole = base.generate(List.of(Prompt.chat(List.of(ChatMessage.user("Who?")))),
                    GenerationOptions.defaults().withMaxNewTokens(256)).get(0).text();
            Terminal terminal = new Terminal();
            Display.ask(base, "Who?", new PrintStream(terminal, true, StandardCharsets.UTF_8));
            assertEquals(whole + " [cut after 256 tokens]" + System.lineSeparator(),
                    terminal.toString(StandardCharsets.UTF_8));
            assertTrue(terminal.writes > 50, "pieces of the answer: " + terminal.writes);
        }
    }
}
