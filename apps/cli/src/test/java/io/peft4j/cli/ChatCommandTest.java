package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** A talk equals what the API answers to the same messages. */
@ResourceLock(Resources.SYSTEM_PROPERTIES)
class ChatCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama");
    private static final Path ADAPTER = FIXTURES.resolve("adapters/lora");
    private static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(8);

    private static CommandRun chat(List<String> lines, Object... more) {
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream(String.join("\n", lines).getBytes(StandardCharsets.UTF_8)));
        try {
            List<Object> words = new ArrayList<>(List.of("chat", "--model", MODEL, "--dtype", "f32",
                    "--max-new-tokens", 8));
            words.addAll(List.of(more));
            return CommandRun.succeeding(words.toArray());
        } finally {
            System.setIn(before);
        }
    }

    private static BaseModel load() {
        return BaseModel.load(MODEL.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
    }

    private static Completion answer(LanguageModel model, ChatMessage... messages) {
        return model.generate(List.of(Prompt.chat(List.of(messages))), OPTIONS).get(0);
    }

    private static String printed(Completion completion) {
        return completion.text() + (completion.stopReason() == Completion.StopReason.LENGTH
                ? " [cut at --max-new-tokens 8]" : "") + "\n";
    }

    @Test
    void aTalkGoesOnWithWhatWasSaid() {
        CommandRun run = chat(List.of("Hello", "", "And then?", "/reset", "Hello", "/exit", "never read"),
                "--system", "Be brief.");
        try (BaseModel model = load()) {
            ChatMessage system = ChatMessage.system("Be brief.");
            ChatMessage hello = ChatMessage.user("Hello");
            Completion first = answer(model, system, hello);
            Completion second = answer(model, system, hello, ChatMessage.assistant(first.text()),
                    ChatMessage.user("And then?"));
            assertEquals(printed(first) + printed(second) + printed(first), run.out());
        }
    }

    @Test
    void baseAndAdapterAnswerSideBySide() {
        CommandRun run = chat(List.of("Hello", "/base", "Hello", "/adapter", "/reset", "Hello"), "--adapter", ADAPTER);
        try (BaseModel base = load(); PeftModel adapted = base.withAdapter(ADAPTER)) {
            ChatMessage hello = ChatMessage.user("Hello");
            String byBase = printed(answer(base, hello));
            String byAdapter = printed(answer(adapted, hello));
            assertNotEquals(byBase, byAdapter);
            assertTrue(run.out().startsWith("adapter: " + byAdapter + "base: " + byBase + "base: "), run.out());
            assertTrue(run.out().endsWith("adapter: " + byAdapter), run.out());
            assertEquals(4, run.out().split("(adapter|base): ", -1).length - 1);
        }
    }

    @Test
    void anAnswerThatIsCutBeforeItMatchesIsSaidToBe() {
        String digits = chat(List.of("Hello"), "--regex", "[0-9]+ days").out();
        assertTrue(digits.matches("[0-9]+ \\[cut at --max-new-tokens 8, before it matches --regex]\n"), digits);
    }

    @Test
    void whatCannotBeDoneIsSaid() {
        CommandRun run = chat(List.of("/adapter", "/help"));
        assertEquals("", run.out());
        assertTrue(run.err().contains("start with --adapter DIR") && run.err().contains("unknown command /help"),
                run.err());
    }
}
