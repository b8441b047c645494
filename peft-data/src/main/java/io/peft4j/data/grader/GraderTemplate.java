package io.peft4j.data.grader;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with places for values of an item and an answer: <code>{{item.key}}</code>, <code>{{item.list[0].key}}</code>,
 * <code>{{sample.output_text}}</code>, and <code>{{sample.output_json.key}}</code> for an answer that is JSON. Texts
 * are put in as they are, other values as JSON. What an item lacks is an error; what an answer lacks is the empty text.
 */
public final class GraderTemplate {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PLACE = Pattern.compile("\\{\\{(.*?)}}", Pattern.DOTALL);
    private static final Pattern PATH = Pattern.compile("(item|sample)((?:\\.[^.\\[\\]\\s]+|\\[\\d+])*)");
    private static final List<String> ANSWERS = List.of("output_text", "output_json");

    private final String text;

    /**
     * A template.
     *
     * @throws ConfigurationException when a place names something else
     */
    public GraderTemplate(String text) {
        this.text = text;
        Matcher places = PLACE.matcher(text);
        while (places.find()) {
            path(places.group(1));
        }
    }

    private static List<String> path(String place) {
        Matcher path = PATH.matcher(place.strip());
        List<String> keys = path.matches() ? List.of((path.group(1) + path.group(2).replaceAll("\\[(\\d+)]", ".$1"))
                .split("\\.")) : List.of();
        boolean known = keys.size() > 1 && (keys.get(0).equals("item") || ANSWERS.contains(keys.get(1)));
        if (!known) {
            throw new ConfigurationException("unknown place '{{" + place.strip() + "}}'; known are {{item.KEY}}, "
                    + "{{sample.output_text}} and {{sample.output_json.KEY}}");
        }
        return keys;
    }

    /**
     * The text with its places filled in.
     *
     * @throws ConfigurationException when the item lacks something
     */
    public String fill(Map<String, Object> item, String answer) {
        Matcher places = PLACE.matcher(text);
        StringBuilder filled = new StringBuilder();
        while (places.find()) {
            List<String> path = path(places.group(1));
            places.appendReplacement(filled, Matcher.quoteReplacement(path.get(0).equals("item") ? of(item, path)
                    : of(answer, path)));
        }
        return places.appendTail(filled).toString();
    }

    private static String of(Map<String, Object> item, List<String> path) {
        return find(item, path.subList(1, path.size())).map(GraderTemplate::written)
                .orElseThrow(() -> new ConfigurationException("the item has no '"
                        + String.join(".", path.subList(1, path.size())) + "'; it has " + item.keySet()));
    }

    private static String of(String answer, List<String> path) {
        if (path.get(1).equals("output_text")) {
            return answer;
        }
        try {
            return find(JSON.readValue(answer, Object.class), path.subList(2, path.size()))
                    .map(GraderTemplate::written).orElse("");
        } catch (JsonProcessingException e) {
            return "";
        }
    }

    private static Optional<Object> find(Object root, List<String> path) {
        Object value = root;
        for (String key : path) {
            if (value instanceof Map<?, ?> map) {
                value = map.get(key);
            } else if (value instanceof List<?> list && key.matches("\\d{1,9}")
                    && Integer.parseInt(key) < list.size()) {
                value = list.get(Integer.parseInt(key));
            } else {
                return Optional.empty();
            }
        }
        return Optional.ofNullable(value);
    }

    private static String written(Object value) {
        if (value instanceof String string) {
            return string;
        }
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a value of a row is written as JSON", e);
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
