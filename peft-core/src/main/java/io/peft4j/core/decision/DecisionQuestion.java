package io.peft4j.core.decision;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A question with its options, which is a value: a model answers options that it has never seen.
 *
 * <pre>{@code
 * DecisionQuestion team = DecisionQuestion.choice("Which team?", Map.of("billing", "Invoices", "other", ""));
 * }</pre>
 *
 * @param kind what is asked
 * @param instructions the question; null of JSON if absent
 * @param options what it can be answered with, 2 to {@value #MOST_OPTIONS}, each once. Those of {@link Kind#NOUL} are
 *     {@code false} and {@code true}, those of {@link Kind#SCORE} the numbers of the levels from 0
 */
public record DecisionQuestion(Kind kind, JsonNode instructions, List<Option> options) {
    /** The most options of a question. */
    public static final int MOST_OPTIONS = 255;
    private static final String FALSE = "false";
    private static final String TRUE = "true";
    private static final List<String> KEYS = List.of("type", "instructions", "criteria");
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** What is asked, in System One's words. */
    public enum Kind {
        /** One of several options. */
        CHOICE,
        /** One of ordered levels, the lowest first. */
        SCORE,
        /** Whether something holds. */
        NOUL;

        /** The word in files and requests. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /**
         * The kind of a word.
         *
         * @throws ConfigurationException when there is none
         */
        public static Kind of(String word) {
            return Stream.of(values()).filter(kind -> kind.word().equals(word)).findFirst()
                    .orElseThrow(() -> new ConfigurationException("unknown type of question '" + word + "'; use one of "
                            + Stream.of(values()).map(Kind::word).toList()));
        }
    }

    /**
     * An option.
     *
     * @param name what an answer calls it
     * @param description what it means: text or other JSON; null of JSON if it has none
     */
    public record Option(String name, JsonNode description) {
        /** Refuses null. */
        public Option {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(description, "description");
        }

        /** The description as text; empty if it has none. */
        public String text() {
            return PythonJson.text(description);
        }
    }

    /** Checks the options. */
    public DecisionQuestion {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(instructions, "instructions");
        options = List.copyOf(options);
        if (options.size() < 2 || options.size() > MOST_OPTIONS) {
            throw new ConfigurationException("a question has " + options.size() + (options.size() == 1 ? " option"
                    : " options") + "; it needs at least 2 and has at most " + MOST_OPTIONS);
        }
        TreeSet<String> names = new TreeSet<>();
        for (Option option : options) {
            if (option.name().isBlank() || !names.add(option.name())) {
                throw new ConfigurationException(option.name().isBlank() ? "an option has no name"
                        : "the option '" + option.name() + "' appears twice");
            }
        }
    }

    /** One of several options, by name with descriptions, which may be empty. The order of the map counts. */
    public static DecisionQuestion choice(String instructions, Map<String, String> options) {
        return new DecisionQuestion(Kind.CHOICE, TextNode.valueOf(instructions), options.entrySet().stream()
                .map(option -> new Option(option.getKey(), described(option.getValue()))).toList());
    }

    /** One of several options without descriptions. */
    public static DecisionQuestion choice(String instructions, List<String> options) {
        return new DecisionQuestion(Kind.CHOICE, TextNode.valueOf(instructions),
                options.stream().map(name -> new Option(name, NullNode.instance)).toList());
    }

    /** One of ordered levels, the lowest first, by their descriptions. */
    public static DecisionQuestion score(String instructions, List<String> levels) {
        return new DecisionQuestion(Kind.SCORE, TextNode.valueOf(instructions),
                levels(levels.stream().map(DecisionQuestion::described).toList()));
    }

    /** Whether something holds. */
    public static DecisionQuestion yesNo(String instructions) {
        return yesNo(instructions, "", "");
    }

    /** Whether something holds, with what each answer means; empty if it needs no explanation. */
    public static DecisionQuestion yesNo(String instructions, String yesWhen, String noWhen) {
        return new DecisionQuestion(Kind.NOUL, TextNode.valueOf(instructions),
                List.of(new Option(FALSE, described(noWhen)), new Option(TRUE, described(yesWhen))));
    }

    private static JsonNode described(String text) {
        return text.isEmpty() ? NullNode.instance : TextNode.valueOf(text);
    }

    private static List<Option> levels(List<? extends JsonNode> descriptions) {
        return IntStream.range(0, descriptions.size())
                .mapToObj(i -> new Option(String.valueOf(i), descriptions.get(i))).toList();
    }

    /**
     * The questions of a System One request or of a row, by name in their order.
     *
     * @throws ConfigurationException when there is none, or one is wrong: says which
     */
    public static Map<String, DecisionQuestion> all(JsonNode questions) {
        if (!questions.isObject() || questions.isEmpty()) {
            throw new ConfigurationException("\"questions\" must be an object with at least one question by its name");
        }
        Map<String, DecisionQuestion> all = new LinkedHashMap<>();
        questions.properties().forEach(entry -> {
            try {
                all.put(entry.getKey(), of(entry.getValue()));
            } catch (ConfigurationException e) {
                throw new ConfigurationException("question '" + entry.getKey() + "': " + e.getMessage(), e);
            }
        });
        return all;
    }

    /**
     * A question in System One's form: {@code {"type": "choice", "instructions", "criteria": {name: description}}},
     * levels as a list, and {@code {"true", "false"}} or nothing for {@code noul}.
     *
     * @throws ConfigurationException when it is none
     */
    public static DecisionQuestion of(JsonNode question) {
        if (!question.isObject()) {
            throw new ConfigurationException("it must be an object with " + KEYS);
        }
        question.fieldNames().forEachRemaining(key -> {
            if (!KEYS.contains(key)) {
                throw new ConfigurationException("unknown key \"" + key + "\"; a question has " + KEYS);
            }
        });
        Kind kind = Kind.of(question.path("type").asText());
        JsonNode criteria = question.path("criteria");
        return new DecisionQuestion(kind, present(question.path("instructions")), switch (kind) {
            case CHOICE -> choices(criteria);
            case SCORE -> {
                if (!criteria.isArray()) {
                    throw new ConfigurationException("\"criteria\" of a score must be a list of its levels");
                }
                yield levels(elements(criteria));
            }
            case NOUL -> yesNo(criteria);
        });
    }

    private static List<Option> choices(JsonNode criteria) {
        if (criteria.isArray()) {
            return elements(criteria).stream().map(name -> {
                if (!name.isValueNode() || name.isNull()) {
                    throw new ConfigurationException("the option " + name + " is not a text");
                }
                return new Option(name.asText(), NullNode.instance);
            }).toList();
        }
        if (!criteria.isObject()) {
            throw new ConfigurationException("\"criteria\" of a choice must be an object: option to description");
        }
        return criteria.properties().stream().map(entry -> new Option(entry.getKey(), entry.getValue())).toList();
    }

    private static List<Option> yesNo(JsonNode criteria) {
        if (!criteria.isObject() && !criteria.isNull() && !criteria.isMissingNode()) {
            throw new ConfigurationException("\"criteria\" of a noul must be an object with \"true\" and \"false\"");
        }
        criteria.fieldNames().forEachRemaining(key -> {
            if (!key.equals(TRUE) && !key.equals(FALSE)) {
                throw new ConfigurationException("\"criteria\" of a noul has the key \"" + key
                        + "\"; it has \"true\" and \"false\"");
            }
        });
        return List.of(new Option(FALSE, present(criteria.path(FALSE))),
                new Option(TRUE, present(criteria.path(TRUE))));
    }

    private static List<JsonNode> elements(JsonNode list) {
        List<JsonNode> elements = new ArrayList<>();
        list.forEach(elements::add);
        return elements;
    }

    private static JsonNode present(JsonNode value) {
        return value.isMissingNode() ? NullNode.instance : value;
    }

    /** The instructions as text; empty where there are none. */
    public String text() {
        return PythonJson.text(instructions);
    }

    /** The names of the options. */
    public List<String> names() {
        return options.stream().map(Option::name).toList();
    }

    /**
     * The number of an option.
     *
     * @throws ConfigurationException when there is no such option
     */
    public int option(String name) {
        int index = names().indexOf(name);
        if (index < 0) {
            throw new ConfigurationException("unknown option '" + name + "'; the question has " + names());
        }
        return index;
    }

    /** The question in System One's form. */
    public ObjectNode toJson() {
        ObjectNode node = JSON.objectNode().put("type", kind.word());
        node.set("instructions", instructions);
        if (kind == Kind.SCORE) {
            ArrayNode levels = node.putArray("criteria");
            options.forEach(level -> levels.add(level.description()));
        } else {
            ObjectNode criteria = node.putObject("criteria");
            options.forEach(option -> criteria.set(option.name(), option.description()));
        }
        return node;
    }
}
