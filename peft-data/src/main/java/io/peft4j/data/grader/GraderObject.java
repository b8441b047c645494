package io.peft4j.data.grader;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The JSON object of a grader. It notes which keys were asked for, so that others can be refused. */
public final class GraderObject {
    private final JsonNode json;
    private final List<GraderTemplate> templates;
    private final String type;
    private final Set<String> asked = new LinkedHashSet<>(Set.of("type", "name"));

    /** @param templates is given those that are read of it */
    GraderObject(JsonNode json, List<GraderTemplate> templates) {
        this.json = json;
        this.templates = templates;
        this.type = json.path("type").asText("");
    }

    String type() {
        return type;
    }

    /** An error that names the grader. */
    public ConfigurationException wrong(String problem) {
        String name = json.path("name").asText("");
        return new ConfigurationException("the " + (type.isEmpty() ? "" : type + " ") + "grader"
                + (name.isEmpty() ? "" : " '" + name + "'") + " " + problem);
    }

    private JsonNode at(String key) {
        asked.add(key);
        return json.path(key);
    }

    /** Whether a key is there. */
    public boolean has(String key) {
        return at(key) != null && json.hasNonNull(key);
    }

    /** The text under a key. */
    public String text(String key) {
        JsonNode value = at(key);
        if (!value.isTextual()) {
            throw wrong(value.isMissingNode() ? "needs \"" + key + "\"" : "has \"" + key + "\": " + value
                    + "; it must be a text");
        }
        return value.textValue();
    }

    /** The text under a key, which must be one of some. */
    public String word(String key, List<String> allowed) {
        String word = text(key);
        if (!allowed.contains(word)) {
            throw wrong("has the " + key.replace('_', ' ') + " '" + word + "'; use one of " + allowed);
        }
        return word;
    }

    /** The template under a key. */
    public GraderTemplate template(String key) {
        return template(key, text(key));
    }

    private GraderTemplate template(String key, String text) {
        try {
            templates.add(new GraderTemplate(text));
            return templates.get(templates.size() - 1);
        } catch (ConfigurationException e) {
            throw wrong("has \"" + key + "\": " + e.getMessage());
        }
    }

    /** The texts under a key, at least one. */
    public List<String> texts(String key) {
        List<String> texts = new ArrayList<>();
        at(key).forEach(text -> texts.add(text.asText()));
        if (texts.isEmpty()) {
            throw wrong("needs \"" + key + "\", a list of texts");
        }
        return texts;
    }

    /** The numbers under a key; the usual ones where it is missing. */
    public List<Double> numbers(String key, List<Double> usual) {
        if (!has(key)) {
            return usual;
        }
        List<Double> numbers = new ArrayList<>();
        at(key).forEach(each -> numbers.add(each.isNumber() ? each.doubleValue() : Double.NaN));
        if (numbers.size() != usual.size() || numbers.contains(Double.NaN)) {
            throw wrong("has \"" + key + "\": " + at(key) + "; it must be " + usual.size() + " numbers");
        }
        return numbers;
    }

    /** Accepts a key and does not read it. */
    public void ignore(String key) {
        at(key);
    }

    /** Messages to be filled in, the role of each before its text. */
    public List<Map.Entry<String, GraderTemplate>> messages(String key) {
        List<Map.Entry<String, GraderTemplate>> messages = new ArrayList<>();
        for (JsonNode turn : at(key)) {
            JsonNode content = turn.path("content");
            JsonNode text = content.isArray() && content.size() == 1 ? content.path(0).path("text")
                    : content.isObject() ? content.path("text") : content;
            String role = turn.path("role").asText("user");
            if (!text.isTextual()) {
                throw wrong("has a message in \"" + key + "\" without a text under \"content\"");
            }
            messages.add(Map.entry(role.equals("developer") ? "system" : role, template(key, text.textValue())));
        }
        if (messages.isEmpty()) {
            throw wrong("needs \"" + key + "\", a list of messages");
        }
        return messages;
    }

    /** Messages with an item and an answer filled in. */
    public static List<ChatMessage> filled(List<Map.Entry<String, GraderTemplate>> messages, Map<String, Object> item,
            String answer) {
        return messages.stream().map(turn -> new ChatMessage(turn.getKey(), turn.getValue().fill(item, answer)))
                .toList();
    }

    /** Graders by their names under a key: an object of them. */
    public Map<String, Grader> graders(String key, GraderTools tools) {
        Map<String, Grader> graders = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> each : at(key).properties()) {
            graders.put(each.getKey(), Graders.of(each.getValue(), tools, templates));
        }
        if (graders.isEmpty()) {
            throw wrong("needs \"" + key + "\", an object of graders by their names");
        }
        return graders;
    }

    /** Refuses keys that were not read. */
    void requireNoOthers() {
        Set<String> unknown = new TreeSet<>();
        json.fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(asked);
        if (!unknown.isEmpty()) {
            throw wrong("has unknown keys " + unknown + "; known are " + new TreeSet<>(asked));
        }
    }
}
