package io.peft4j.jinja.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads the files that {@code make_templates.py} wrote. */
final class TemplateFixtures {
    /** Where the clock stood when the expected outputs were made. */
    static final Clock CLOCK = Clock.fixed(Instant.parse("2025-01-02T15:04:05Z"), ZoneOffset.UTC);

    private static final String FOLDER = "/fixtures/templates/";
    private static final ObjectMapper JSON = new ObjectMapper();

    private TemplateFixtures() {
    }

    static JsonNode json(String file) {
        try (InputStream in = open(file)) {
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String text(String file) {
        try (InputStream in = open(file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static InputStream open(String file) {
        return TemplateFixtures.class.getResourceAsStream(FOLDER + file);
    }

    /** A JSON object as template variables, in its order. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> variables(JsonNode object) {
        return JSON.convertValue(object, LinkedHashMap.class);
    }

    /** What a template gives: its output, or the exception's message in the form {@code error: ...}. */
    static String outcome(String template, Map<String, Object> variables) {
        try {
            return "output: " + JinjaTemplate.parse(template).withClock(CLOCK).render(variables);
        } catch (JinjaException e) {
            return "error: " + e.getMessage();
        }
    }

    /** Whether an outcome is the one that a case of a file expects; messages are compared for raise_exception only. */
    static boolean matches(JsonNode expected, String outcome) {
        if (expected.has("expected")) {
            return outcome.equals("output: " + expected.get("expected").textValue());
        }
        return outcome.startsWith("error: ")
                && (!expected.has("raised") || outcome.contains(expected.get("raised").textValue()));
    }
}
