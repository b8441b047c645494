package io.peft4j.jinja.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Holds every output and every failure against Jinja2 in transformers' settings. */
class GoldenTemplatesTest {
    /** What no known chat template calls is refused by name: these errors, where Jinja has an output. */
    private static final String UNSUPPORTED = "not supported in chat templates";
    private static final int REFUSED = 174;

    @Test
    void snippetsRenderLikeJinja2() {
        JsonNode file = TemplateFixtures.json("snippets.json");
        Map<String, Object> context = TemplateFixtures.variables(file.get("context"));
        List<String> wrong = new ArrayList<>();
        int refused = 0;
        for (JsonNode snippet : file.get("snippets")) {
            String template = snippet.get("template").textValue();
            String outcome = TemplateFixtures.outcome(template, context);
            if (TemplateFixtures.matches(snippet, outcome)) {
                continue;
            }
            if (outcome.startsWith("error: ") && outcome.contains(UNSUPPORTED)) {
                refused++;
            } else {
                wrong.add(template + "\n  wanted " + snippet + "\n  got    " + outcome);
            }
        }
        assertTrue(file.get("snippets").size() > 800, "the file holds fewer snippets than were made");
        assertEquals("", String.join("\n", wrong), wrong.size() + " snippets differ");
        assertEquals(REFUSED, refused, "another number of snippets asks for what is not supported");
    }

    @Test
    void templatesOfModelFamiliesRenderLikeJinja2() {
        JsonNode file = TemplateFixtures.json("families.json");
        List<String> wrong = new ArrayList<>();
        file.get("families").fields().forEachRemaining(family -> {
            String template = TemplateFixtures.text(family.getKey() + ".jinja");
            for (int i = 0; i < family.getValue().size(); i++) {
                Map<String, Object> context = TemplateFixtures.variables(file.get("contexts").get(i));
                String outcome = TemplateFixtures.outcome(template, context);
                if (!TemplateFixtures.matches(family.getValue().get(i), outcome)) {
                    wrong.add(family.getKey() + " " + i + "\n  wanted " + family.getValue().get(i) + "\n  got    "
                            + outcome);
                }
            }
        });
        assertEquals(18, file.get("families").size());
        assertEquals("", String.join("\n", wrong), wrong.size() + " cases differ");
    }
}
