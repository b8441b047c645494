package io.peft4j.jinja.support;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Mutated templates must end in an output or in a {@link JinjaException}, whatever they have become. */
@Tag("full")
class FuzzTemplatesTest {
    private static final int MUTANTS = 30_000;
    private static final JinjaTemplate.JinjaLimits LIMITS = new JinjaTemplate.JinjaLimits(50_000, 200_000, 200);
    private static final String[] PIECES = {
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "'", "\"", "\\", "(", ")", "[", "]", "{", "}", "|", ".", ",",
        ":", "=", "~", "*", "**", "/", "//", "%", "<", "==", " in ", " is ", " not ", " and ", " if ", " else ",
        "none", "true", "0", "-1", "9999999999999999999", "1e308", "''", "loop", "range(99)", "namespace()",
        "messages", "|tojson", "|list", "|length", "|map('upper')", "|first", "|int", "|string", "|sort", "[::-1]",
        "[0]", ".split()", ".x", "%s", "{% for x in messages %}", "{% endfor %}", "{% if 1 %}", "{% endif %}",
        "{% else %}", "{% set x = 1 %}", "{% macro f(a) %}", "{% endmacro %}", "{% break %}", "{% raw %}",
        "{% endraw %}", "\n", "\uD83D", "é", "\u0000"};

    @Test
    void mutatedTemplatesNeverCrash() {
        List<String> seeds = seeds();
        Map<String, Object> context = TemplateFixtures.variables(TemplateFixtures.json("snippets.json").get("context"));
        context.put("messages", context.get("m"));
        context.put("add_generation_prompt", true);
        Random random = new Random(20250102);
        int rendered = 0;
        int refused = 0;
        for (int i = 0; i < MUTANTS; i++) {
            String mutant = mutate(seeds.get(random.nextInt(seeds.size())), seeds, random);
            try {
                JinjaTemplate.parse(mutant).withLimits(LIMITS).render(context);
                rendered++;
            } catch (JinjaException e) {
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("mutant " + i + " failed with " + e + ":\n" + mutant, e);
            }
        }
        assertTrue(rendered > MUTANTS / 20 && refused > MUTANTS / 20, rendered + " rendered, " + refused + " refused");
    }

    private static List<String> seeds() {
        List<String> seeds = new ArrayList<>();
        for (JsonNode snippet : TemplateFixtures.json("snippets.json").get("snippets")) {
            seeds.add(snippet.get("template").textValue());
        }
        TemplateFixtures.json("families.json").get("families").fieldNames().forEachRemaining(
                family -> seeds.add(TemplateFixtures.text(family + ".jinja")));
        return seeds;
    }

    private static String mutate(String seed, List<String> seeds, Random random) {
        StringBuilder text = new StringBuilder(seed);
        int mutations = 1 + random.nextInt(4);
        for (int i = 0; i < mutations; i++) {
            int at = random.nextInt(text.length() + 1);
            int end = Math.min(text.length(), at + random.nextInt(12));
            switch (random.nextInt(5)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, PIECES[random.nextInt(PIECES.length)]);
                case 2 -> text.replace(at, end, PIECES[random.nextInt(PIECES.length)]);
                case 3 -> text.insert(at, text.substring(at, end).repeat(1 + random.nextInt(3)));
                default -> {
                    String other = seeds.get(random.nextInt(seeds.size()));
                    int from = random.nextInt(other.length() + 1);
                    text.insert(at, other, from, Math.min(other.length(), from + random.nextInt(40)));
                }
            }
        }
        return text.toString();
    }
}
