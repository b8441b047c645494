package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.decision.DecisionAnswer;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.core.decision.DecisionQuestion.Option;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.RequestFields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A request of OpenAI's decisions and its reply.
 *
 * @param state what is asked about
 * @param asked the questions in their order
 */
record DecisionInput(JsonNode state, List<Asked> asked) {
    private static final int MOST_LEVELS = 10;
    private static final List<String> CALLS = List.of("function_call", "function_call_output", "custom_tool_call",
            "custom_tool_call_output");

    /**
     * A question.
     *
     * @param type its type in the request
     * @param name its name; null of JSON where it has none
     * @param values of its options what the request calls them
     */
    private record Asked(String type, JsonNode name, DecisionQuestion question, List<JsonNode> values) {
    }

    static DecisionInput read(RequestFields fields) {
        fields.ignore("prompt_cache_key", "prompt_cache_options", "safety_identifier", "metadata", "user", "store");
        JsonNode state = state(fields.required("input"));
        List<JsonNode> questions = fields.list("questions");
        if (questions.isEmpty() || questions.size() > Bound.QUESTIONS.most()) {
            throw ApiException.invalid("questions",
                    "'questions' must have 1 to " + Bound.QUESTIONS.most() + " entries, got "
                            + questions.size());
        }
        List<Asked> asked = new ArrayList<>();
        for (int i = 0; i < questions.size(); i++) {
            String place = "questions[" + i + "]";
            RequestFields.require(questions.get(i).isObject(), place, "an object", questions.get(i));
            RequestFields question = new RequestFields(place + ".", (ObjectNode) questions.get(i));
            try {
                asked.add(question(question));
            } catch (ConfigurationException e) {
                throw ApiException.invalid(place, "'" + place + "': " + e.getMessage());
            }
            question.requireKnown();
        }
        return new DecisionInput(state, asked);
    }

    private static Asked question(RequestFields fields) {
        String type = fields.requiredText("type");
        JsonNode name = fields.text("name").<JsonNode>map(TextNode::valueOf).orElse(NullNode.instance);
        JsonNode instructions = fields.get("instructions").map(given -> content(given, fields.path("instructions")))
                .orElse(NullNode.instance);
        List<JsonNode> values = new ArrayList<>();
        List<Option> options = new ArrayList<>();
        switch (type) {
            case "predicate" -> options.addAll(DecisionQuestion.yesNo("").options());
            case "choice" -> options.addAll(choices(fields, values));
            case "score" -> entries(fields, "levels").forEach(level -> {
                String label = level.requiredText("label");
                JsonNode description = described(level);
                values.add(TextNode.valueOf(label));
                options.add(new Option(String.valueOf(options.size()), description.isNull() ? TextNode.valueOf(label)
                        : TextNode.valueOf(label + ": " + description.asText())));
                level.requireKnown();
            });
            default -> throw ApiException.invalid(fields.path("type"), "'" + fields.path("type")
                    + "' must be predicate, choice or score");
        }
        if (type.equals("score") && options.size() > MOST_LEVELS) {
            throw ApiException.invalid(fields.path("levels"), "'" + fields.path("levels") + "' may have "
                    + MOST_LEVELS + " levels, got " + options.size());
        }
        Kind kind = type.equals("predicate") ? Kind.NOUL : Kind.valueOf(type.toUpperCase(Locale.ROOT));
        return new Asked(type, name, new DecisionQuestion(kind, instructions, options), values);
    }

    /** Options and what the request calls them; a text is quoted where a boolean beside it would have its name. */
    private static List<Option> choices(RequestFields fields, List<JsonNode> values) {
        List<JsonNode> descriptions = new ArrayList<>();
        entries(fields, "choices").forEach(choice -> {
            JsonNode value = choice.required("value");
            RequestFields.require(value.isTextual() || value.isBoolean(), choice.path("value"),
                    "a string or a boolean", value);
            values.add(value);
            descriptions.add(described(choice));
            choice.requireKnown();
        });
        boolean quoted = values.stream().distinct().map(JsonNode::asText).distinct().count() < values.stream()
                .distinct().count();
        return IntStream.range(0, values.size()).mapToObj(i -> new Option(quoted ? values.get(i).toString()
                : values.get(i).asText(), descriptions.get(i))).toList();
    }

    private static List<RequestFields> entries(RequestFields fields, String name) {
        List<JsonNode> entries = fields.list(name);
        return IntStream.range(0, entries.size()).mapToObj(i -> {
            String place = fields.path(name) + "[" + i + "]";
            RequestFields.require(entries.get(i).isObject(), place, "an object", entries.get(i));
            return new RequestFields(place + ".", (ObjectNode) entries.get(i));
        }).toList();
    }

    private static JsonNode described(RequestFields option) {
        return option.text("description").<JsonNode>map(TextNode::valueOf).orElse(NullNode.instance);
    }

    private static JsonNode state(JsonNode input) {
        if (input.isTextual()) {
            return input;
        }
        RequestFields.require(input.isArray() && !input.isEmpty(), "input", "a string, or an array that is not empty",
                input);
        ArrayNode turns = Json.array();
        for (int i = 0; i < input.size(); i++) {
            JsonNode item = input.get(i);
            String place = "input[" + i + "]";
            RequestFields.require(item.isObject(), place, "an object", item);
            String type = item.path("type").asText("message");
            if (CALLS.contains(type)) {
                turns.add(item);
            } else if (type.equals("message") && item.path("role").isTextual()) {
                turns.addObject().put("role", item.get("role").asText())
                        .set("content", content(item.path("content"), place + ".content"));
            } else {
                throw ApiException.invalid(place, "'" + place + "' must be a message with a role, or one of " + CALLS);
            }
        }
        return turns;
    }

    /** A text, or parts of one: a single part stands for itself. */
    private static JsonNode content(JsonNode given, String place) {
        if (given.isTextual()) {
            return given;
        }
        RequestFields.require(given.isArray() && !given.isEmpty(), place, "a string, or an array of parts", given);
        ArrayNode parts = Json.array();
        for (JsonNode part : given) {
            switch (part.path("type").asText()) {
                case "input_text", "output_text", "text" -> parts.add(part.path("text").asText());
                case "input_json" -> parts.add(part.path("data"));
                default -> throw ApiException.invalid(place, "'" + place + "' has a part of type '"
                        + part.path("type").asText() + "'; this server's models read input_text and input_json");
            }
        }
        return parts.size() == 1 ? parts.get(0) : parts;
    }

    /** The questions, named by their places, since their own names may be absent or stand twice. */
    DecisionRequest request() {
        Map<String, DecisionQuestion> named = new LinkedHashMap<>();
        asked.forEach(each -> named.put(String.valueOf(named.size()), each.question()));
        return new DecisionRequest(state, named);
    }

    ObjectNode reply(String model, DecisionResult result) {
        ObjectNode reply = Json.object().put("model", model);
        ArrayNode answers = reply.putArray("answers");
        for (int i = 0; i < asked.size(); i++) {
            answer(answers.addObject(), asked.get(i), result.answers().get(String.valueOf(i)));
        }
        ObjectNode usage = reply.putObject("usage").put("input_tokens", result.inputTokens());
        usage.putObject("input_tokens_details").put("cached_tokens", 0).put("cache_write_tokens", 0);
        usage.put("output_tokens", 0).putObject("output_tokens_details").put("reasoning_tokens", 0);
        usage.put("total_tokens", result.inputTokens());
        return reply;
    }

    private static void answer(ObjectNode node, Asked asked, DecisionAnswer answer) {
        node.put("type", answer.refused() ? "refusal" : asked.type()).set("name", asked.name());
        if (answer.refused()) {
            return;
        }
        if (asked.type().equals("predicate")) {
            node.put("probability", answer.probability("true"));
            return;
        }
        boolean choice = asked.type().equals("choice");
        if (choice) {
            node.set("choice", asked.values().get(answer.best()));
        } else {
            node.put("score", answer.score());
        }
        ArrayNode probabilities = node.put("confidence", answer.confidence()).putArray("probabilities");
        for (int i = 0; i < asked.values().size(); i++) {
            ObjectNode entry = probabilities.addObject();
            entry.set(choice ? "value" : "label", asked.values().get(i));
            if (!choice) {
                entry.put("value", i);
            }
            entry.put("probability", answer.probabilities().get(i));
        }
    }
}
