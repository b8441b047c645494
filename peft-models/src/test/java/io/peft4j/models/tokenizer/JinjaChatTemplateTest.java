package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.models.tokenizer.JinjaChatTemplate.ChatTemplateException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class JinjaChatTemplateTest {
    private static final String CHATML = template("chatml.jinja");

    @Test
    void textOfMessagesIsNeverExecuted() {
        String attack = "{{ 7 * 7 }}{% for x in messages %}x{% endfor %}{# gone #}{{ raise_exception('no') }}";
        String rendered = JinjaChatTemplate.of(CHATML).render(List.of(ChatMessage.user(attack)), false);
        assertTrue(rendered.contains("<|im_start|>user\n" + attack + "<|im_end|>\n"), rendered);
    }

    @Test
    void specialTokensAndVariablesAreSeen() {
        String source = "{{ bos_token }}{{ messages[0].content }}{{ mood }}{{ tools }}";
        JinjaChatTemplate template = JinjaChatTemplate.of(source, Map.of("bos_token", "<s>"));
        List<ChatMessage> messages = List.of(ChatMessage.user("x"));
        assertEquals("<s>xNone", template.render(messages, false));
        assertEquals("<b>xfine[{'a': 1}]", template.render(messages, false, List.of(Map.of("a", 1)),
                Map.of("mood", "fine", "bos_token", "<b>")));
    }

    @Test
    void theGenerationPromptIsAddedOnlyWhenAsked() {
        JinjaChatTemplate template = JinjaChatTemplate.of(CHATML);
        List<ChatMessage> messages = List.of(ChatMessage.system("S"), ChatMessage.user("U"));
        String without = template.render(messages, false);
        assertEquals(without + "<|im_start|>assistant\n", template.render(messages, true));
    }

    @Test
    void nullFieldsAreLeftOutAsInTransformers() {
        Map<String, Object> json = new HashMap<>(Map.of("role", "assistant"));
        json.put("content", null);
        json.put("tool_calls", null);
        String keys = JinjaChatTemplate.of("{{ messages[0].keys() | list }}")
                .render(List.of(ChatMessage.fromMap(json)), false);
        assertEquals("['role']", keys);
    }

    @Test
    void reasoningIsFoundUnderItsOtherNames() {
        ChatMessage message = new ChatMessage("assistant", "A", Map.of("reasoning", "R"));
        assertEquals("RR", JinjaChatTemplate.of("{{ messages[0].reasoning_content }}{{ messages[0].thinking }}")
                .render(List.of(message), false));
    }

    @Test
    void errorsNameTheLineAndTheProblem() {
        ChatTemplateException missing = assertThrows(ChatTemplateException.class,
                () -> JinjaChatTemplate.of("a\nb\n{{ messages[0].content.foo.bar }}").render(
                        List.of(ChatMessage.user("x")), false));
        assertEquals(3, missing.line());
        assertTrue(missing.getMessage().contains("line 3") && missing.getMessage().contains("'foo'"),
                missing.getMessage());
        ChatTemplateException syntax = assertThrows(ChatTemplateException.class,
                () -> JinjaChatTemplate.of("a\n{% if x %}\n{% endfor %}"));
        assertEquals(3, syntax.line());
        assertTrue(syntax.getMessage().contains("endfor"), syntax.getMessage());
        ChatTemplateException raised = assertThrows(ChatTemplateException.class,
                () -> JinjaChatTemplate.of("{{ raise_exception('roles must alternate') }}").render(List.of(), false));
        assertTrue(raised.getMessage().contains("roles must alternate"), raised.getMessage());
    }

    @Test
    void longConversationsFitTheLimits() {
        List<ChatMessage> messages = new ArrayList<>(Collections.nCopies(2000, ChatMessage.user("word ".repeat(2000))));
        String rendered = JinjaChatTemplate.of(template("qwen25_tools.jinja")).render(messages, true);
        assertTrue(rendered.length() > 2000 * 10_000, "length " + rendered.length());
    }

    @Test
    void manyThreadsMayRenderAtOnce() {
        JinjaChatTemplate template = JinjaChatTemplate.of(CHATML);
        boolean right = IntStream.range(0, 400).parallel().allMatch(i -> template
                .render(List.of(ChatMessage.user("u" + i)), false).contains("<|im_start|>user\nu" + i + "<|im_end|>"));
        assertTrue(right);
    }

    private static String template(String file) {
        try {
            return Files.readString(Path.of("../formats/jinja/src/test/resources/fixtures/templates", file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
