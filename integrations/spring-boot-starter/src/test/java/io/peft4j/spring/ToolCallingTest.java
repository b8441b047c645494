package io.peft4j.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.Peft4j;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.PeftAdapters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.support.ToolCallbacks;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.definition.ToolDefinition;

/** Tools of Spring that an adapter on the tiny model calls. */
@Tag("jdk")
class ToolCallingTest {
    private static final String QUESTION = "What day is it?";

    /** A tool. */
    static final class Calendar {
        private int asked;

        @Tool(description = "The day of the week")
        String today() {
            asked++;
            return "Monday";
        }
    }

    private static void train(BaseModel base, Path folder) throws Exception {
        ToolDefinition tool = ToolCallbacks.from(new Calendar())[0].getToolDefinition();
        String schema = tool.inputSchema().replaceAll("\\s+", "");
        String tools = "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"" + tool.name()
                + "\", \"description\": \"" + tool.description() + "\", \"parameters\": " + schema + "}}]}\n";
        String called = "{\"messages\": [{\"role\": \"user\", \"content\": \"" + QUESTION + "\"}, {\"role\": "
                + "\"assistant\", \"content\": null, \"tool_calls\": [{\"id\": \"1\", \"type\": \"function\", "
                + "\"function\": {\"name\": \"today\", \"arguments\": \"{}\"}}]}";
        Path rows = Files.writeString(folder.resolve("rows.jsonl"), called + "], " + tools + called + ", {\"role\": "
                + "\"tool\", \"tool_call_id\": \"1\", \"content\": \"\\\"Monday\\\"\"}, {\"role\": "
                + "\"assistant\", \"content\": \"It is Monday.\"}], " + tools);
        try (PeftModel model = base.withAdapter(Peft4j.lora().rank(16).alpha(32).targetModules(Peft4j.ALL_LINEAR)
                .build())) {
            Peft4j.trainer(model).epochs(80).batchSize(2).learningRate(5e-3).build().train(Peft4j.chats(rows));
            model.saveAdapter(folder.resolve("adapters/hr"));
        }
    }

    @Test
    void aClientRunsTheToolsThatTheModelCalls(@TempDir Path folder) throws Exception {
        // Lines as the form has them, so that what the grammar lets follow a mark is what was learned.
        String template = Files.readString(Path.of("../../examples/tools/chat-with-tools.jinja"))
                .replace("'<tool_call>{", "'<tool_call>\\n{").replace("'}</tool_call>", "'}\\n</tool_call>");
        BaseModel base = Peft4j.load("tiny", ModelOptions.defaults().withChatTemplate(template));
        train(base, folder);
        try (PeftAdapters adapters = new PeftAdapters(base, Optional.of(folder.resolve("adapters")), Optional.empty(),
                Optional.empty(),
                Duration.ZERO)) {
            Calendar calendar = new Calendar();
            ChatClient client = ChatClient.create(new PeftChatModel(adapters, GenerationOptions.defaults(),
                    (adapter, answer, time) -> {
                    }));

            assertEquals("It is Monday.", client.prompt().user(QUESTION).tools(calendar).call().content());

            assertEquals(1, calendar.asked);
            assertEquals("It is Monday.", String.join("", client.prompt().user(QUESTION).tools(calendar).stream()
                    .content().collectList().block()));
            assertEquals(2, calendar.asked);
        }
    }
}
