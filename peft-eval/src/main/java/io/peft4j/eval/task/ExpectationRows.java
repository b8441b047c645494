package io.peft4j.eval.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.format.JsonLines;
import io.peft4j.eval.task.Expectation.Choices;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.PatternSyntaxException;

/**
 * Reads what a row expects of an answer beside references and facts:
 * <ul>
 * <li>{@code "any_of"}: a text or a list of which one must occur;
 * <li>{@code "regex"}: an expression or a list that must all be found;
 * <li>{@code "normalize"}: true to normalise numbers and units in facts;
 * <li>{@code "label"}: the class that the answer must name;
 * <li>{@code "format"}: {@code {"json_schema": {...}}}, {@code {"regex": text}} or {@code {"words": [least, most]}};
 * <li>{@code "choices"} with {@code "answer"}, the index of the right one from 0, or its text;
 * <li>{@code "refusal"}: whether a right answer refuses.
 * </ul>
 */
final class ExpectationRows {
    static final List<String> KEYS = List.of("any_of", "regex", "label", "format", "choices", "refusal");
    private static final ObjectMapper JSON = new ObjectMapper();

    private ExpectationRows() {
    }

    static Expectation of(JsonLines.Row row) {
        Map<String, Object> fields = row.fields();
        List<FactCheck> facts = new ArrayList<>();
        if (fields.containsKey("any_of")) {
            facts.add(FactCheck.anyOf(texts(row, "any_of").toArray(String[]::new)));
        }
        if (fields.containsKey("regex")) {
            texts(row, "regex").forEach(expression -> facts.add(regex(row, expression)));
        }
        Expectation expectation = new Expectation(facts, false,
                fields.containsKey("label") ? Optional.of(text(row, "label")) : Optional.empty(),
                fields.containsKey("format") ? Optional.of(form(row)) : Optional.empty(),
                fields.containsKey("choices") ? Optional.of(choices(row)) : Optional.empty(),
                fields.containsKey("refusal") ? Optional.of(flag(row, "refusal")) : Optional.empty());
        return fields.containsKey("normalize") && flag(row, "normalize") ? expectation.normalized() : expectation;
    }

    private static List<String> texts(JsonLines.Row row, String key) {
        return TextFields.required(row.file(), row.line(), key, row.fields().get(key), false);
    }

    private static String text(JsonLines.Row row, String key) {
        if (row.fields().get(key) instanceof String text && !text.isBlank()) {
            return text;
        }
        throw row.wrong("\"" + key + "\" is " + row.fields().get(key) + "; it must be a non-blank string");
    }

    private static boolean flag(JsonLines.Row row, String key) {
        if (row.fields().get(key) instanceof Boolean flag) {
            return flag;
        }
        throw row.wrong("\"" + key + "\" is " + row.fields().get(key) + "; it must be true or false");
    }

    private static FactCheck regex(JsonLines.Row row, String expression) {
        try {
            return FactCheck.regex(expression);
        } catch (PatternSyntaxException e) {
            throw row.wrong("\"regex\" is not a valid regular expression: " + e.getDescription() + " in " + expression);
        }
    }

    private static FormatCheck form(JsonLines.Row row) {
        Object value = row.fields().get("format");
        if (value instanceof Map<?, ?> form && form.size() == 1) {
            try {
                if (form.get("json_schema") instanceof Map<?, ?> schema) {
                    return FormatCheck.jsonSchema(JSON.valueToTree(schema).toString());
                }
                if (form.get("regex") instanceof String expression) {
                    return FormatCheck.regex(expression);
                }
                if (form.get("words") instanceof List<?> range && range.size() == 2
                        && range.get(0) instanceof Integer least && range.get(1) instanceof Integer most) {
                    return FormatCheck.words(least, most);
                }
            } catch (ConfigurationException | PatternSyntaxException e) {
                throw row.wrong("\"format\": " + e.getMessage());
            }
        }
        throw row.wrong("\"format\" is " + value + "; it must be {\"json_schema\": {...}}, {\"regex\": text} or "
                + "{\"words\": [least, most]}");
    }

    private static Choices choices(JsonLines.Row row) {
        List<String> texts = texts(row, "choices");
        Object answer = row.fields().get("answer");
        int index = answer instanceof Integer number ? number : answer instanceof String text ? texts.indexOf(text)
                : -1;
        if (texts.size() < 2 || index < 0 || index >= texts.size()) {
            throw row.wrong("\"choices\" are " + texts + " and \"answer\" is " + answer + "; there must be two texts "
                    + "or more, and the answer one of them or its index from 0");
        }
        return new Choices(texts, index);
    }
}
