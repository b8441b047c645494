package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.generation.TextConstraints;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Short templates, each of which writes, or speaks of, calls in one form. */
class ToolTemplatesTest {
    static List<JsonNode> templates() throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<JsonNode> all = new ArrayList<>();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                ToolTemplatesTest.class.getResourceAsStream("/tool-templates.jsonl"), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                all.add(json.readTree(line));
            }
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("templates")
    void theFormIsFoundByTheTemplateAlone(JsonNode row) {
        assertEquals(row.get("form").asText(), ToolForm.of(JinjaChatTemplate.of(row.get("template").asText()))
                .map(ToolForm::name).orElse("none"));
    }

    @Test
    void everyFormHasATemplate() throws IOException {
        Set<String> shown = templates().stream().map(row -> row.get("form").asText())
                .collect(Collectors.toCollection(TreeSet::new));
        shown.remove("none");
        assertEquals(ToolForm.all().stream().map(ToolForm::name).collect(Collectors.toCollection(TreeSet::new)), shown);
    }

    private static String written(ChatTemplate template, List<ToolCall> calls) {
        String text = template.render(List.of(ChatMessage.user("Go."), new ChatMessage("assistant", "", Map.of(
                "tool_calls", calls.stream().map(call -> Map.of("type", "function", "function", Map.of("name",
                        call.name(), "arguments", call.arguments().properties().stream().collect(Collectors.toMap(
                                Map.Entry::getKey, field -> field.getValue().asText())))))
                        .toList()))),
                false);
        return text.substring(text.indexOf("Go.") + 3)
                .replaceFirst("(?s)^(<.im_end.>)?\\s*(<.im_start.>)?assistant(: |\n)", "")
                .replaceFirst("(<.im_end.>)?\\n$", "");
    }

    private static ChatTemplate fixture(String form, String from, String to) throws IOException {
        String source = templates().stream().filter(row -> row.get("form").asText().equals(form)).findFirst()
                .orElseThrow().get("template").asText();
        assertTrue(source.contains(from), source);
        return JinjaChatTemplate.of(source.replace(from, to));
    }

    /** What a forced call must be is what a model of the template has seen. */
    @Test
    void callsAreForcedIntoTheSpaceThatTheTemplateWrites() throws IOException {
        List<ChatTemplate> all = List.of(JinjaChatTemplate.of(Files.readString(Path.of("..", "examples", "tools",
                "chat-with-tools.jinja"))),
                fixture("qwen-xml", "<parameter={{ k }}>\n{{ v if v is string else v | tojson }}\n</parameter>",
                        "<parameter={{ k }}>{{ v }}</parameter>"),
                fixture("granite", "{\"name\": \"{{ f.name }}\", \"arguments\": {{",
                        "{\"name\":\"{{ f.name }}\",\"arguments\":{{"),
                fixture("lfm2", "<|tool_call_start|>[", "<|tool_call_start|>\n["));
        List<Tool> tools = Tool.of(List.of(Map.of("name", "trains", "parameters", Map.of("type", "object",
                "properties", Map.of("to", Map.of("type", "string", "enum", List.of("Oslo", "Bergen")))))));
        ToolCall call = ToolCall.of(Map.of("name", "trains", "arguments", "{\"to\": \"Oslo\"}"));
        for (ChatTemplate template : all) {
            ToolForm form = ToolForm.of(template).orElseThrow();
            String one = written(template, List.of(call));
            assertEquals(one, form.write(List.of(call)));
            assertEquals(written(template, List.of(call, call)), form.write(List.of(call, call)));
            String forced = one.substring(form.begin().length(), one.length() - form.end().length());
            assertTrue(TextConstraints.call(form, tools, false).allows(forced), forced);
            assertTrue(TextConstraints.calls(form, tools, true, "").allows(one), one);
            String other = ToolForm.named(form.name()).write(List.of(call));
            assertFalse(TextConstraints.calls(form, tools, true, "").allows(other), other);
            assertEquals(1, ToolForm.parse(Optional.of(form), other, tools).calls().size(), "still read");
        }
    }

    /** As SmolLM2's: nothing of tools, and a system message of its own if the chat has none. */
    private static final String PLAIN = "{% for message in messages %}{% if loop.first and messages[0]['role'] != "
            + "'system' %}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + "
            + "message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if "
            + "add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    private static final Map<String, Object> TRAINS = Map.of("type", "function", "function", Map.of("name", "trains"));

    private static ChatMessage calls(String content, List<Map<String, Object>> arguments) {
        return new ChatMessage("assistant", content, Map.of("tool_calls", arguments.stream()
                .map(each -> Map.of("function", Map.of("name", "trains", "arguments", each))).toList()));
    }

    @Test
    void aTemplateWithoutToolsGetsThemWithAForm() {
        ChatTemplate template = JinjaChatTemplate.of(ToolForm.named("hermes").template(PLAIN));
        List<ChatMessage> messages = List.of(ChatMessage.user("To Oslo?"),
                calls("I look.", List.of(Map.of("to", "Oslo"))),
                new ChatMessage("tool", "8:00"), new ChatMessage("tool", "9:00"), ChatMessage.assistant("At 8 or 9."));
        String call = "<tool_call>\n{\"name\": \"trains\", \"arguments\": {\"to\": \"Oslo\"}}\n</tool_call>";
        String shown = "You may call these functions:\n{\"name\": \"trains\"}\nTo call one, answer as here:\n"
                + "<tool_call>\n{\"name\": \"NAME\", \"arguments\": {\"ARGUMENT\": \"VALUE\"}}\n</tool_call>";
        String rest = "<|im_end|>\n<|im_start|>user\nTo Oslo?<|im_end|>\n<|im_start|>assistant\nI look.\n" + call
                + "<|im_end|>\n<|im_start|>user\n<tool_response>\n8:00\n</tool_response>\n<tool_response>\n9:00\n"
                + "</tool_response><|im_end|>\n<|im_start|>assistant\nAt 8 or 9.<|im_end|>\n<|im_start|>assistant\n";
        assertEquals("<|im_start|>system\n" + shown + rest, template.render(messages, true, List.of(TRAINS), Map.of()));
        List<ChatMessage> led = new ArrayList<>(List.of(ChatMessage.system("Be brief.")));
        led.addAll(messages);
        assertEquals("<|im_start|>system\nBe brief.\n\n" + shown + rest, template.render(led, true, List.of(TRAINS),
                Map.of()));
    }

    @Test
    void conversationsWithoutToolsAreAsBefore() {
        List<ChatMessage> chat = List.of(ChatMessage.user("Hi"), ChatMessage.assistant("Yes?"));
        for (ToolForm form : ToolForm.all()) {
            assertEquals(JinjaChatTemplate.of(PLAIN).render(chat, true), JinjaChatTemplate.of(form.template(PLAIN))
                    .render(chat, true), form.name());
        }
    }

    /** Values of all kinds are what a model of the form writes, and are read again. */
    @Test
    void whatATemplateGetsIsTheForm() {
        Map<String, Object> arguments = Map.of("to", "Oslo \"S\"", "at", 8, "direct", true, "via",
                List.of("Moss", "Ski"),
                "seat", Map.of("row", 2));
        Map<String, Object> properties = arguments.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey,
                each -> Map.of("type", each.getValue() instanceof String ? "string" : each.getValue() instanceof List
                        ? "array" : each.getValue() instanceof Map ? "object" : each.getValue() instanceof Integer
                                ? "integer" : "boolean")));
        List<Tool> tools = Tool.of(List.of(Map.of("name", "trains", "parameters", Map.of("type", "object", "properties",
                properties))));
        for (ToolForm form : ToolForm.all()) {
            ChatTemplate template = JinjaChatTemplate.of(form.template(PLAIN));
            assertEquals(form.toString(), ToolForm.of(template).map(ToolForm::toString).orElse("none"));
            String text = template.render(List.of(ChatMessage.user("Go."), calls("", List.of(arguments, Map.of()))),
                    false);
            String answer = text.replaceFirst("(?s)^.*<.im_start.>assistant\n", "").replaceFirst("<.im_end.>\n$", "");
            List<ToolCall> read = ToolForm.parse(Optional.of(form), answer, tools).calls();
            assertEquals(2, read.size(), form.name() + ": " + answer);
            assertTrue(read.get(0).sameAs(ToolCall.of(Map.of("name", "trains", "arguments", arguments))), answer);
        }
    }
}
