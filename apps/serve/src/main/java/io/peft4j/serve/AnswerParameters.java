package io.peft4j.serve;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Parameters of an answer, under the names that Hugging Face, OpenAI and Vertex AI have for them. */
final class AnswerParameters {
    /** How a value changes the options. */
    private interface Change {
        GenerationOptions apply(GenerationOptions options, JsonNode value, String name);
    }

    private static final Map<String, Change> CHANGES = Map.ofEntries(
            Map.entry("max_new_tokens", (o, v, n) -> o.withMaxNewTokens(integer(v, n))),
            Map.entry("max_tokens", (o, v, n) -> o.withMaxNewTokens(integer(v, n))),
            Map.entry("max_completion_tokens", (o, v, n) -> o.withMaxNewTokens(integer(v, n))),
            Map.entry("max_output_tokens", (o, v, n) -> o.withMaxNewTokens(integer(v, n))),
            Map.entry("temperature", sampling((s, v, n) -> s.withTemperature(number(v, n)))),
            Map.entry("top_k", sampling((s, v, n) -> s.withTopK(integer(v, n)))),
            Map.entry("top_p", sampling((s, v, n) -> s.withTopP(number(v, n)))),
            Map.entry("min_p", sampling((s, v, n) -> s.withMinP(number(v, n)))),
            Map.entry("seed", sampling((s, v, n) -> s.withSeed(integer(v, n)))),
            Map.entry("repetition_penalty", sampling((s, v, n) -> s.withRepetitionPenalty(number(v, n)))),
            Map.entry("presence_penalty", sampling((s, v, n) -> s.withPenalties(number(v, n), s.frequencyPenalty()))),
            Map.entry("frequency_penalty", sampling((s, v, n) -> s.withPenalties(s.presencePenalty(), number(v, n)))),
            Map.entry("do_sample", sampling((s, v, n) -> flag(v, n) ? s.isGreedy() ? s.withTemperature(1) : s
                    : s.withTemperature(0))),
            Map.entry("stop", (o, v, n) -> o.withStopStrings(texts(v, n))),
            Map.entry("stop_sequences", (o, v, n) -> o.withStopStrings(texts(v, n))),
            Map.entry("return_full_text", (o, v, n) -> requireFalse(o, v, n)));

    private AnswerParameters() {
    }

    /** A change of how tokens are chosen. */
    private interface Choice {
        Sampling apply(Sampling sampling, JsonNode value, String name);
    }

    private static Change sampling(Choice choice) {
        return (options, value, name) -> options.withSampling(choice.apply(options.sampling(), value, name));
    }

    /**
     * The options with parameters.
     *
     * @param object holds the parameters
     * @param names which of its keys are parameters
     * @throws ConfigurationException when one is unknown, of the wrong type or out of range
     */
    static GenerationOptions of(JsonNode object, Set<String> names, GenerationOptions defaults) {
        if (!object.isObject()) {
            throw new ConfigurationException("\"parameters\" is " + object.getNodeType() + "; it must be an object");
        }
        List<String> unknown = names.stream().filter(name -> !CHANGES.containsKey(canonical(name))).toList();
        if (!unknown.isEmpty()) {
            throw new ConfigurationException("unknown parameter '" + unknown.get(0) + "'; "
                    + SimilarNames.sentence(canonical(unknown.get(0)), new TreeSet<>(CHANGES.keySet())));
        }
        GenerationOptions options = defaults;
        // Whether to draw at all follows from the temperature, so it is looked at last.
        for (String name : names.stream().sorted((a, b) -> Boolean.compare(isLast(a), isLast(b)))
                .collect(Collectors.toList())) {
            if (!object.get(name).isNull()) {
                options = CHANGES.get(canonical(name)).apply(options, object.get(name), name);
            }
        }
        return options;
    }

    private static boolean isLast(String name) {
        return canonical(name).equals("do_sample");
    }

    /** Vertex AI writes maxOutputTokens where others write max_output_tokens. */
    private static String canonical(String name) {
        return name.replaceAll("([a-z])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
    }

    private static int integer(JsonNode value, String name) {
        if (!value.isNumber() || value.asDouble() != Math.rint(value.asDouble()) || !value.canConvertToInt()) {
            throw new ConfigurationException(name + " is " + value + "; it must be an integer");
        }
        return value.asInt();
    }

    private static double number(JsonNode value, String name) {
        if (!value.isNumber()) {
            throw new ConfigurationException(name + " is " + value + "; it must be a number");
        }
        return value.asDouble();
    }

    private static boolean flag(JsonNode value, String name) {
        if (!value.isBoolean()) {
            throw new ConfigurationException(name + " is " + value + "; it must be true or false");
        }
        return value.asBoolean();
    }

    private static List<String> texts(JsonNode value, String name) {
        List<String> texts = new ArrayList<>();
        (value.isArray() ? value : List.of(value)).forEach(item -> {
            if (!item.isTextual()) {
                throw new ConfigurationException(name + " is " + value + "; it must be a text or a list of texts");
            }
            texts.add(item.asText());
        });
        return texts;
    }

    private static GenerationOptions requireFalse(GenerationOptions options, JsonNode value, String name) {
        if (flag(value, name)) {
            throw new ConfigurationException(name + " is true; an answer here never repeats its prompt");
        }
        return options;
    }
}
