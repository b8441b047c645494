package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplateCommandTest {
    private static final String TEMPLATE = "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}"
            + "{% for c in m.tool_calls or [] %}<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": "
            + "{{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}{% if m.role == 'system' and "
            + "m.content == 'no' %}{{ raise_exception('no system') }}{% endif %}<|end|>\n{% endfor %}"
            + "{% if add_generation_prompt %}<|assistant|>{% endif %}{{ mood }}{{ tools is none }}";

    @TempDir
    private Path folder;
    private Path template;

    @BeforeEach
    void template() throws IOException {
        template = Files.writeString(folder.resolve("t.jinja"), TEMPLATE);
    }

    private Path lines(String... lines) throws IOException {
        return Files.write(folder.resolve("lines.jsonl"), List.of(lines));
    }

    @Test
    void conversationsAreRenderedOrRefusedLineByLine() throws IOException {
        Path file = lines(
                "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"add_generation_prompt\": true, "
                        + "\"kwargs\": {\"mood\": \"!\"}, \"bos_token\": \"<s>\"}",
                "{\"messages\": [{\"role\": \"system\", \"content\": \"no\"}]}",
                "{\"messages\": [{\"role\": \"tool\", \"content\": {\"a\": [1, null]}}], \"tools\": []}");
        List<JsonNode> lines = CommandRun
                .succeeding("template", "render", "--template", template, "--conversations", file,
                        "--json")
                .json();
        assertEquals("<s><|user|>Hi<|end|>\n<|assistant|>!True", lines.get(0).get("text").asText());
        assertTrue(lines.get(1).get("error").asText().contains("no system"), lines::toString);
        assertEquals("<|tool|>{'a': [1, None]}<|end|>\nFalse", lines.get(2).get("text").asText());
    }

    @Test
    void peopleSeeSpecialTokensAndWhatIsLearned() throws IOException {
        Path file = lines("{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", "
                + "\"content\": \"Yes\"}]}");
        // What follows all messages would make the beginning of the conversation another text.
        Files.writeString(template, TEMPLATE.replace("{{ tools is none }}", ""));
        String out = CommandRun.succeeding("template", "render", "--template", template, "--conversations", file).out();
        assertTrue(out.contains("«<|user|>»Hi«<|end|>»\n«<|assistant|>»[[Yes«<|end|>»]]"), out);
    }

    @Test
    void answersAreTakenApartInTheTemplatesForm() throws IOException {
        String call = "<tool_call>{\\\"name\\\": \\\"f\\\", \\\"arguments\\\": {\\\"a\\\": 1}}</tool_call>";
        Path file = lines("{\"answer\": \"<think>Hm</think>Ok " + call + "\"}",
                "{\"answer\": \"" + call
                        + "\", \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"g\"}}]}");
        List<JsonNode> lines = CommandRun.succeeding("template", "parse", "--template", template, "--answers", file,
                "--json").json();
        assertEquals("{\"content\":\"Ok\",\"reasoning_content\":\"Hm\",\"tool_calls\":[{\"name\":\"f\",\"arguments\":"
                + "{\"a\":1}}]}", lines.get(0).toString());
        assertTrue(lines.get(1).get("content").asText().startsWith("<tool_call>"), lines::toString);
        assertTrue(
                lines.get(1).get("content").asText().contains(lines.get(1).get("invalid_tool_calls").get(0).get("text")
                        .asText()),
                lines::toString);
        String out = CommandRun.succeeding("template", "parse", "--template", template, "--answers", file).out();
        assertTrue(out.contains("form: hermes, 1 call") && out.contains("call: f(a=1)"), out);
        assertTrue(out.contains("no valid call, since no tool is named 'f'; there are [g]"), out);
    }

    @Test
    void aModelsOwnTemplateIsUsed() throws IOException {
        Path file = lines("{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}");
        JsonNode line = CommandRun.succeeding("template", "render", "--template", "tiny", "--conversations", file,
                "--json").json().get(0);
        assertTrue(line.get("text").asText().contains("Hi"), line::toString);
    }

    @Test
    void aLineThatIsNoObjectIsNamed() throws IOException {
        String message = CommandRun.failing(1, "template", "parse", "--template", template, "--answers",
                lines("[1]"));
        assertTrue(message.contains("lines.jsonl:1"), message);
    }
}
