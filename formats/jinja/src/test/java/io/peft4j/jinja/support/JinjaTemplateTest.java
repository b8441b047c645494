package io.peft4j.jinja.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JinjaTemplateTest {
    @Test
    void thePackageExampleWorks() {
        JinjaTemplate template = JinjaTemplate.parse(
                "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}\n{% endfor %}");
        String prompt = template.render(Map.of("messages", List.of(Map.of("role", "user", "content", "Hello!"))));
        assertEquals("<|user|>Hello!\n", prompt);
    }

    @Test
    void errorsNameTheLineAndTheProblem() {
        JinjaException missing = assertThrows(JinjaException.class,
                () -> JinjaTemplate.parse("a\nb\n{{ text.foo.bar }}").render(Map.of("text", "x")));
        assertEquals(3, missing.line());
        assertTrue(missing.getMessage().contains("line 3") && missing.getMessage().contains("'foo'"),
                missing.getMessage());
        JinjaException syntax = assertThrows(JinjaException.class,
                () -> JinjaTemplate.parse("a\n{% if x %}\n{% endfor %}"));
        assertEquals(3, syntax.line());
        assertTrue(syntax.getMessage().contains("endfor"), syntax.getMessage());
        JinjaException raised = assertThrows(JinjaException.class,
                () -> JinjaTemplate.parse("{{ raise_exception('roles must alternate') }}").render(Map.of()));
        assertTrue(raised.getMessage().contains("roles must alternate"), raised.getMessage());
    }

    @Test
    void unrenderableTemplatesAreRefused() {
        Map<String, Object> variables = new HashMap<>();
        variables.put("x", new Object());
        JinjaTemplate template = JinjaTemplate.parse("{{ x }}");
        assertThrows(JinjaException.class, () -> template.render(variables));
    }

    @Test
    void hostileTemplatesGiveAnError() {
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
                "{{ 1" + "+1".repeat(200_000) + " }}", "{{ 1" + "~1".repeat(200_000) + " }}",
                "{{ 1" + "<1".repeat(200_000) + " }}", "{{ 1" + " and 1".repeat(200_000) + " }}",
                "{{ " + "not ".repeat(100_000) + "1 }}", "{{ " + "[".repeat(100_000),
                "{{ 1" + "|abs".repeat(100_000) + " }}", "{{ x" + ".y".repeat(100_000) + " }}",
                "{% if 1 %}".repeat(100_000), "{{ 1" + " if 1 else 1".repeat(100_000) + " }}");
        for (String template : hostile) {
            String shown = template.substring(0, Math.min(100, template.length()));
            assertThrows(JinjaException.class, () -> JinjaTemplate.parse(template).render(Map.of()),
                    shown);
        }
    }

    @Test
    void longFlatTemplatesAreFine() {
        String sum = "{{ 1" + " + 1".repeat(20_000) + " }}";
        assertEquals("20001", JinjaTemplate.parse(sum).render(Map.of()));
        String branches = "{% if 0 %}" + "{% elif 0 %}".repeat(20_000) + "{% else %}x{% endif %}";
        assertEquals("x", JinjaTemplate.parse(branches).render(Map.of()));
    }

    @Test
    void limitsCanBeSet() {
        JinjaTemplate template = JinjaTemplate.parse("{% for x in range(1000) %}{{ x }}{% endfor %}");
        assertFalse(template.render(Map.of()).isEmpty());
        JinjaException steps = assertThrows(JinjaException.class,
                () -> template.withLimits(new JinjaTemplate.JinjaLimits(500, 1000, 100)).render(Map.of()));
        assertTrue(steps.getMessage().contains("500 steps"), steps.getMessage());
        JinjaException output = assertThrows(JinjaException.class,
                () -> template.withLimits(new JinjaTemplate.JinjaLimits(100_000, 100, 100)).render(Map.of()));
        assertTrue(output.getMessage().contains("100 characters"), output.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new JinjaTemplate.JinjaLimits(0, 1, 1));
    }
}
