package io.peft4j.models.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.text.ChatMessage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class JinjaChatTemplateTest {
    private static final String CHATML = TemplateFixtures.text("chatml.jinja");

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
    void anErrorNamesTheLineAndWhatIsWrong() {
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
    void anythingThatCannotBeRenderedIsRefused() {
        Map<String, Object> variables = new HashMap<>();
        variables.put("x", new Object());
        JinjaChatTemplate template = JinjaChatTemplate.of("{{ x }}");
        assertThrows(ChatTemplateException.class, () -> template.render(List.of(), false, List.of(), variables));
    }

    @Test
    void hostileTemplatesEndInAnError() {
        List<String> hostile = List.of(
                "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
                "{% set ns = namespace(x='a') %}{% for i in range(90) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(90) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
                "{% set ns = namespace(x=[1]) %}{% for i in range(90) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
                        + "{{ ns.x }}",
                "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(90) %}{% set ns.x = [ns.x, ns.x] %}"
                        + "{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
                "{% set ns = namespace(x=(1, 2), y=(1, 2)) %}{% for i in range(90) %}{% set ns.x = (ns.x, ns.x) %}"
                        + "{% set ns.y = (ns.y, ns.y) %}{% endfor %}{{ {ns.x: 1}[ns.y] }}",
                "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}",
                "{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}"
                        + "{{ ns.x|tojson }}",
                "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{{ 'x' * 10 ** 12 }}", "{{ [1] * 10 ** 12 }}", "{{ 10 ** 10 ** 10000 }}", "{{ 2 ** 99999 }}",
                "{{ '%99999999d' % 1 }}", "{{ '{:99999999}'.format(1) }}", "{{ 'x'.center(10 ** 11) }}",
                "{{ ('a' * 1000000)|replace('a', 'b' * 1000000) }}", "{{ ('a' * 1000000)|replace('', 'b' * 1000) }}",
                "{{ ('\\n' * 1000000)|indent(1000000, blank=true) }}", "{{ ([''] * 1000000)|join('x' * 1000) }}",
                "{{ [[[1]]]|tojson(indent='x' * 30000000) }}",
                "{% for i in range(100000) %}{{ ('a' * 10000000).count('b') }}{% endfor %}",
                "{{ " + "(".repeat(100_000), "{{ " + "-".repeat(100_000) + "1 }}",
                "{{ " + "not ".repeat(100_000) + "1 }}", "{{ " + "[".repeat(100_000),
                "{{ 1" + "|abs".repeat(100_000) + " }}", "{{ x" + ".y".repeat(100_000) + " }}",
                "{% if 1 %}".repeat(100_000), "{{ 1" + " if 1 else 1".repeat(100_000) + " }}");
        for (String template : hostile) {
            String shown = template.substring(0, Math.min(100, template.length()));
            assertThrows(ChatTemplateException.class, () -> JinjaChatTemplate.of(template).render(List.of(), false),
                    shown);
        }
    }

    @Test
    void longFlatTemplatesAreFine() {
        String sum = "{{ 1" + " + 1".repeat(20_000) + " }}";
        assertEquals("20001", JinjaChatTemplate.of(sum).render(List.of(), false));
        String branches = "{% if 0 %}" + "{% elif 0 %}".repeat(20_000) + "{% else %}x{% endif %}";
        assertEquals("x", JinjaChatTemplate.of(branches).render(List.of(), false));
    }

    @Test
    void limitsCanBeSet() {
        JinjaChatTemplate template = JinjaChatTemplate.of("{% for x in range(1000) %}{{ x }}{% endfor %}");
        assertFalse(template.render(List.of(), false).isEmpty());
        ChatTemplateException steps = assertThrows(ChatTemplateException.class,
                () -> template.withLimits(new TemplateLimits(500, 1000, 100)).render(List.of(), false));
        assertTrue(steps.getMessage().contains("500 steps"), steps.getMessage());
        ChatTemplateException output = assertThrows(ChatTemplateException.class,
                () -> template.withLimits(new TemplateLimits(100_000, 100, 100)).render(List.of(), false));
        assertTrue(output.getMessage().contains("100 characters"), output.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new TemplateLimits(0, 1, 1));
    }

    @Test
    void longConversationsFitTheLimits() {
        List<ChatMessage> messages = new ArrayList<>(Collections.nCopies(2000, ChatMessage.user("word ".repeat(2000))));
        String rendered = JinjaChatTemplate.of(TemplateFixtures.text("qwen25_tools.jinja")).render(messages, true);
        assertTrue(rendered.length() > 2000 * 10_000, "length " + rendered.length());
    }

    @Test
    void manyThreadsMayRenderAtOnce() {
        JinjaChatTemplate template = JinjaChatTemplate.of(CHATML);
        boolean right = IntStream.range(0, 400).parallel().allMatch(i -> template
                .render(List.of(ChatMessage.user("u" + i)), false).contains("<|im_start|>user\nu" + i + "<|im_end|>"));
        assertTrue(right);
    }
}
