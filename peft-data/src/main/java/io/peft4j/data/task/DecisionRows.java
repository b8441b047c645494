package io.peft4j.data.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.OpenRows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads questions about states: {@code {"state", "questions": {name: {"type", "instructions", "criteria"}}}}, with what
 * is right as {@code "expected": {name: option}} or {@code "gold": {name: {"probabilities": {option: p}}}}, and for an
 * evaluation other instructions that ask the same as {@code "wordings": {name: [instructions]}}.
 */
@Internal(shared = true)
public final class DecisionRows {
    private static final ObjectMapper JSON = new ObjectMapper();

    private DecisionRows() {
    }

    /** Rows of which each has something that is right. */
    static List<DecisionRow> labelled(OpenRows rows) {
        return rows.list("one JSON object with \"state\", \"questions\" and \"expected\" or \"gold\"",
                DecisionRows::row);
    }

    static DecisionRow row(DataRow row) {
        DecisionRow read = row(row, Optional.empty());
        if (read.gold().isEmpty()) {
            throw row.wrong("has neither \"expected\" nor \"gold\" for any of its questions");
        }
        return read;
    }

    /**
     * The requests of a file, whether it says what is right or not.
     *
     * @param plain what is asked of rows that are {@code {"text"}}
     * @throws DataException when a row is none: with file and line
     */
    public static List<DecisionRequest> requests(DataFile file, Optional<DecisionQuestion> plain) {
        try (OpenRows rows = OpenRows.open(file)) {
            return requests(rows, plain);
        }
    }

    /** As {@link #requests(DataFile, Optional)}, of a file that is open. */
    public static List<DecisionRequest> requests(OpenRows rows, Optional<DecisionQuestion> plain) {
        return rows.list("one JSON object with \"state\" and \"questions\"", row -> row(row, plain).request());
    }

    private static DecisionRow row(DataRow row, Optional<DecisionQuestion> plain) {
        Map<String, Object> fields = TaskRows.withoutTask(row).fields();
        if (!fields.containsKey("state") && plain.isPresent() && fields.get("text") instanceof String text) {
            return new DecisionRow(DecisionRequest.of(text, Map.of("question", plain.get())), Map.of());
        }
        if (!fields.containsKey("state") || !fields.containsKey("questions")) {
            throw row.missing(fields.containsKey("state") ? "questions" : "state");
        }
        try {
            DecisionRequest request = DecisionRequest.of(JSON.<JsonNode>valueToTree(Map.of("state",
                    fields.get("state") == null ? "" : fields.get("state"), "questions",
                    fields.get("questions") == null ? Map.of() : fields.get("questions"))));
            Map<String, List<Double>> gold = new LinkedHashMap<>();
            tree(fields, "expected").properties().forEach(entry -> gold.put(entry.getKey(),
                    named(request, entry.getKey(), question -> DecisionRow.certain(question,
                            option(question, entry.getValue())))));
            tree(fields, "gold").properties().forEach(entry -> gold.put(entry.getKey(),
                    named(request, entry.getKey(), question -> probabilities(question, entry.getValue()))));
            Map<String, List<JsonNode>> wordings = new LinkedHashMap<>();
            tree(fields, "wordings").properties().forEach(entry -> {
                if (!entry.getValue().isArray()) {
                    throw new ConfigurationException("\"wordings\" of '" + entry.getKey() + "' must be a list of "
                            + "instructions");
                }
                List<JsonNode> others = new ArrayList<>();
                entry.getValue().forEach(others::add);
                wordings.put(entry.getKey(), others);
            });
            return new DecisionRow(request, gold, wordings);
        } catch (ConfigurationException e) {
            throw row.wrong(e.getMessage());
        }
    }

    private static JsonNode tree(Map<String, Object> fields, String key) {
        return JSON.valueToTree(fields.get(key) == null ? Map.of() : fields.get(key));
    }

    private static List<Double> named(DecisionRequest request, String name,
            Function<DecisionQuestion, List<Double>> read) {
        DecisionQuestion question = request.questions().get(name);
        if (question == null) {
            throw new ConfigurationException("there is an answer to '" + name + "', but no such question; there are "
                    + request.questions().keySet());
        }
        try {
            return read.apply(question);
        } catch (ConfigurationException e) {
            throw new ConfigurationException("question '" + name + "': " + e.getMessage(), e);
        }
    }

    /** The name of an option; a level may be given by its description, too. */
    private static String option(DecisionQuestion question, JsonNode right) {
        String text = right.asText();
        return question.kind() != Kind.SCORE || question.names().contains(text) ? text
                : question.options().stream().filter(level -> level.text().equals(text)).findFirst()
                        .map(DecisionQuestion.Option::name).orElse(text);
    }

    private static List<Double> probabilities(DecisionQuestion question, JsonNode gold) {
        if (question.kind() == Kind.NOUL && gold.path("noul").isNumber()) {
            double yes = gold.get("noul").doubleValue();
            return List.of(1 - yes, yes);
        }
        JsonNode named = gold.path("probabilities");
        if (!named.isObject()) {
            throw new ConfigurationException("\"gold\" must have \"probabilities\": an object of options");
        }
        named.fieldNames().forEachRemaining(question::option);
        return question.names().stream().map(option -> {
            if (named.has(option) && !named.get(option).isNumber()) {
                throw new ConfigurationException("the probability of '" + option + "' is " + named.get(option));
            }
            return named.path(option).asDouble();
        }).toList();
    }
}
