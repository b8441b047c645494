package io.peft4j.data.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.error.ConfigurationException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Questions about a state, with what is right where that is known.
 *
 * @param request the state and its questions
 * @param gold for questions by their names the probabilities of the options in their order, which sum to 1
 * @param wordings for questions by their names other instructions that ask the same
 */
public record DecisionRow(DecisionRequest request, Map<String, List<Double>> gold,
        Map<String, List<JsonNode>> wordings) {
    /** How far the sum of probabilities may be from 1; it is divided by. */
    public static final double TOLERANCE = 1e-3;

    /** Copies and checks. */
    public DecisionRow {
        Map<String, List<Double>> checked = new LinkedHashMap<>();
        gold.forEach((name, probabilities) -> {
            DecisionQuestion question = request.questions().get(name);
            if (question == null) {
                throw new ConfigurationException("there is an answer to '" + name + "', but no such question; there "
                        + "are " + request.questions().keySet());
            }
            if (probabilities.size() != question.options().size()) {
                throw new ConfigurationException("question '" + name + "' has " + question.options().size()
                        + " options and " + probabilities.size() + " probabilities");
            }
            try {
                checked.put(name, normalized(probabilities));
            } catch (ConfigurationException e) {
                throw new ConfigurationException("question '" + name + "': " + e.getMessage(), e);
            }
        });
        gold = Collections.unmodifiableMap(checked);
        wordings = Map.copyOf(wordings);
        wordings.keySet().stream().filter(name -> !request.questions().containsKey(name)).findFirst()
                .ifPresent(name -> {
                    throw new ConfigurationException("there are wordings of '" + name + "', but no such question; "
                            + "there are " + request.questions().keySet());
                });
    }

    /** A row without other wordings. */
    public DecisionRow(DecisionRequest request, Map<String, List<Double>> gold) {
        this(request, gold, Map.of());
    }

    /**
     * Probabilities that sum to 1 exactly.
     *
     * @throws ConfigurationException when one is not from 0 to 1, or the sum differs from 1 by more than
     *     {@value #TOLERANCE}
     */
    public static List<Double> normalized(List<Double> probabilities) {
        double sum = probabilities.stream().mapToDouble(Double::doubleValue).sum();
        if (probabilities.stream().anyMatch(p -> !(p >= 0 && p <= 1 + TOLERANCE))
                || Math.abs(sum - 1) > TOLERANCE) {
            throw new ConfigurationException("the probabilities " + probabilities + " sum to " + sum
                    + "; they must be from 0 to 1 and sum to 1");
        }
        return probabilities.stream().map(p -> p / sum).toList();
    }

    /** The row as written in a file, with what is right as {@code "gold"}. */
    public ObjectNode toJson() {
        ObjectNode row = JsonNodeFactory.instance.objectNode();
        row.set("state", request.state());
        ObjectNode questions = row.putObject("questions");
        request.questions().forEach((name, question) -> questions.set(name, question.toJson()));
        ObjectNode right = row.putObject("gold");
        gold.forEach((name, probabilities) -> {
            ObjectNode named = right.putObject(name).putObject("probabilities");
            List<String> options = request.questions().get(name).names();
            IntStream.range(0, options.size()).forEach(i -> named.put(options.get(i), probabilities.get(i)));
        });
        return row;
    }

    /** A state with one question that has one right answer. */
    public static DecisionRow of(JsonNode state, String name, DecisionQuestion question, String right) {
        return new DecisionRow(new DecisionRequest(state, Map.of(name, question)),
                Map.of(name, certain(question, right)));
    }

    /**
     * The probabilities that say that an option is right.
     *
     * @throws ConfigurationException when there is no such option
     */
    public static List<Double> certain(DecisionQuestion question, String option) {
        int right = question.option(option);
        return IntStream.range(0, question.options().size()).mapToObj(i -> i == right ? 1.0 : 0.0)
                .toList();
    }
}
