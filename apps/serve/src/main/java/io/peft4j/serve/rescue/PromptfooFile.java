package io.peft4j.serve.rescue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.task.FormatCheck;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Assertions in Promptfoo's form. */
final class PromptfooFile {
    private static final String NOT = "not-";
    private static final double SIMILAR = 0.75;
    private static final List<String> KNOWN = List.of("contains", "icontains", "contains-all", "contains-any",
            "icontains-all", "icontains-any", "equals", "starts-with", "regex", "is-json", "contains-json", "similar",
            "llm-rubric", "model-graded-closedqa", "factuality", "g-eval");

    private final JsonNode root;
    private final AssertionCheck.Tools tools;

    PromptfooFile(JsonNode root, AssertionCheck.Tools tools) {
        this.root = root;
        this.tools = tools;
    }

    /** The tests; what is wrong is a {@link ConfigurationException} that names the test. */
    List<Assertions.Test> tests() {
        JsonNode rows = root.isArray() ? root : root.path("tests");
        if (!rows.isArray() || rows.isEmpty()) {
            throw new ConfigurationException("has no list \"tests\" of objects with \"vars\" and \"assert\", nor "
                    + "\"testing_criteria\"");
        }
        List<Assertions.Test> tests = new ArrayList<>();
        for (JsonNode row : rows) {
            String place = "test " + (tests.size() + 1);
            tests.add(new Assertions.Test(List.of(ChatMessage.user(prompt(place, row))), checks(place, row)));
        }
        return tests;
    }

    private String prompt(String place, JsonNode row) {
        JsonNode vars = row.path("vars");
        JsonNode template = root.path("prompts").path(0);
        if (template.isTextual()) {
            return filled(template.asText(), vars);
        }
        for (String name : List.of("prompt", "question", "input", "query")) {
            if (vars.path(name).isTextual()) {
                return vars.get(name).asText();
            }
        }
        throw new ConfigurationException(place + " has no prompt: give \"prompts\" at the top, or a variable "
                + "\"question\"");
    }

    private static String filled(String template, JsonNode vars) {
        String text = template;
        for (Map.Entry<String, JsonNode> one : vars.properties()) {
            text = text.replaceAll("\\{\\{\\s*" + Pattern.quote(one.getKey()) + "\\s*}}",
                    Matcher.quoteReplacement(one.getValue().asText()));
        }
        return text;
    }

    private Map<String, AssertionCheck> checks(String place, JsonNode row) {
        Map<String, AssertionCheck> checks = new LinkedHashMap<>();
        for (JsonNode one : row.path("assert")) {
            String type = one.path("type").asText();
            boolean turned = type.startsWith(NOT);
            try {
                AssertionCheck check = check(turned ? type.substring(NOT.length()) : type, one, row.path("vars"));
                checks.put(type + " " + one.path("value"), turned ? check.negated() : check);
            } catch (ConfigurationException | java.util.regex.PatternSyntaxException e) {
                throw new ConfigurationException(place + ": " + e.getMessage(), e);
            }
        }
        if (checks.isEmpty()) {
            throw new ConfigurationException(place + " asserts nothing");
        }
        return checks;
    }

    private AssertionCheck check(String type, JsonNode one, JsonNode vars) {
        JsonNode value = one.path("value");
        String text = filled(value.asText(), vars);
        return switch (type) {
            case "contains" -> AssertionCheck.text(answer -> answer.contains(text));
            case "icontains" -> AssertionCheck.text(answer -> lower(answer).contains(lower(text)));
            case "contains-all" -> AssertionCheck.text(answer -> all(value, vars).stream().allMatch(answer::contains));
            case "contains-any" -> AssertionCheck.text(answer -> all(value, vars).stream().anyMatch(answer::contains));
            case "icontains-all" -> AssertionCheck.text(answer -> all(value, vars).stream()
                    .allMatch(each -> lower(answer).contains(lower(each))));
            case "icontains-any" -> AssertionCheck.text(answer -> all(value, vars).stream()
                    .anyMatch(each -> lower(answer).contains(lower(each))));
            case "equals" -> AssertionCheck.text(answer -> answer.strip().equals(text.strip()));
            case "starts-with" -> AssertionCheck.text(answer -> answer.startsWith(text));
            case "regex" -> {
                Pattern pattern = Pattern.compile(text);
                yield AssertionCheck.text(answer -> pattern.matcher(answer).find());
            }
            case "is-json" -> AssertionCheck.text(value.isObject() ? FormatCheck.jsonSchema(value.toString())::accepts
                    : AssertionCheck::isJson);
            case "contains-json" -> AssertionCheck.text(answer -> containsJson(answer, value));
            case "similar" -> AssertionCheck
                    .text(answer -> tools.similarity().apply(answer, text) >= one.path("threshold").asDouble(SIMILAR));
            case "llm-rubric", "model-graded-closedqa", "g-eval" -> GradedChecks.meets(tools.required(type), text);
            case "factuality" -> GradedChecks.agreesWith(tools.required(type), text);
            default -> throw new ConfigurationException("unknown assertion '" + type + "'; known are "
                    + String.join(", ", KNOWN));
        };
    }

    private static List<String> all(JsonNode value, JsonNode vars) {
        List<String> texts = new ArrayList<>();
        value.forEach(one -> texts.add(filled(one.asText(), vars)));
        if (texts.isEmpty()) {
            throw new ConfigurationException("contains-all and contains-any need a list of texts");
        }
        return texts;
    }

    /** The longest piece between braces or brackets. */
    private static boolean containsJson(String answer, JsonNode schema) {
        for (String braces : List.of("{}", "[]")) {
            int from = answer.indexOf(braces.charAt(0));
            int to = answer.lastIndexOf(braces.charAt(1));
            if (from >= 0 && to > from) {
                String piece = answer.substring(from, to + 1);
                if (schema.isObject() ? FormatCheck.jsonSchema(schema.toString()).accepts(piece)
                        : AssertionCheck.isJson(piece)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
