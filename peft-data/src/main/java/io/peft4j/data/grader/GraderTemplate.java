package io.peft4j.data.grader;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with places for values of an item and an answer: <code>{{item.key}}</code>, <code>{{item.list[0].key}}</code>,
 * <code>{{sample.output_text}}</code>, <code>{{sample.output_json.key}}</code> for an answer that is JSON, and
 * <code>{{sample.output_tools[0].function.arguments.key}}</code> for its calls of tools. Texts are put in as they are,
 * other values as JSON. What an item lacks is an error; what an answer lacks is the empty text.
 */
public final class GraderTemplate {
    /** The most characters that a template may make of an item and an answer: more than models read. */
    public static final int MOST_CHARACTERS = 1 << 20;
    private static final int MOST_KEYS = 100;
    private static final int SHOWN = 100;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern KEY = Pattern.compile("\\.([^.\\[\\]\\s]+)|\\[(\\d+)]");
    private static final List<String> ANSWERS = List.of("output_text", "output_json", "output_tools");

    private final String text;
    private final List<Piece> pieces = new ArrayList<>();

    /** A text, and the path of the value behind it; the last has none. */
    private record Piece(String text, List<String> path) {
        boolean isOfItem() {
            return path.size() > 1 && path.get(0).equals("item");
        }
    }

    /**
     * A template.
     *
     * @throws ConfigurationException when a place names something else
     */
    public GraderTemplate(String text) {
        this.text = text;
        int from = 0;
        int begin = text.indexOf("{{");
        int end = begin < 0 ? -1 : text.indexOf("}}", begin + 2);
        while (end >= 0) {
            pieces.add(new Piece(text.substring(from, begin), path(text.substring(begin + 2, end).strip())));
            from = end + 2;
            begin = text.indexOf("{{", from);
            end = begin < 0 ? -1 : text.indexOf("}}", begin + 2);
        }
        pieces.add(new Piece(text.substring(from), List.of()));
    }

    private static List<String> path(String place) {
        List<String> keys = new ArrayList<>();
        Matcher key = KEY.matcher("." + place);
        int end = 0;
        while (keys.size() <= MOST_KEYS && key.region(end, place.length() + 1).lookingAt()) {
            keys.add(key.group(1) == null ? key.group(2) : key.group(1));
            end = key.end();
        }
        boolean known = end == place.length() + 1 && keys.size() > 1 && (keys.get(0).equals("item")
                || keys.get(0).equals("sample") && ANSWERS.contains(keys.get(1)));
        if (!known) {
            throw new ConfigurationException("unknown place '{{" + (place.length() <= SHOWN ? place
                    : place.substring(0, SHOWN) + "...") + "}}'; known are {{item.KEY}}, {{sample.output_text}}, "
                    + "{{sample.output_json.KEY}} and {{sample.output_tools[0].function.KEY}}, of up to " + MOST_KEYS
                    + " keys");
        }
        return List.copyOf(keys);
    }

    /**
     * The text with its places filled in.
     *
     * @throws ConfigurationException when the item lacks something, or makes more than {@link #MOST_CHARACTERS}
     */
    public String fill(Map<String, Object> item, String answer) {
        Map<String, Optional<Object>> sample = new HashMap<>();
        StringBuilder filled = new StringBuilder();
        for (Piece piece : pieces) {
            String value = piece.path().isEmpty() ? "" : piece.isOfItem() ? of(item, piece.path())
                    : sample.computeIfAbsent(piece.path().get(1), key -> read(key, answer))
                            .flatMap(root -> find(root, piece.path().subList(2, piece.path().size())))
                            .map(GraderTemplate::written).orElse("");
            requireRoom((long) filled.length() + piece.text().length() + value.length());
            filled.append(piece.text()).append(value);
        }
        return filled.toString();
    }

    /**
     * Looks whether there is room for an item's values, whatever is answered.
     *
     * @throws ConfigurationException when they make more than {@link #MOST_CHARACTERS}
     */
    public void requireRoom(Map<String, Object> item) {
        long length = 0;
        for (Piece piece : pieces) {
            length += piece.text().length() + (piece.isOfItem() ? find(item, piece.path().subList(1, piece.path()
                    .size())).map(GraderTemplate::written).map(String::length).orElse(0) : 0);
            requireRoom(length);
        }
    }

    private static void requireRoom(long characters) {
        if (characters > MOST_CHARACTERS) {
            throw new ConfigurationException("a template of the grader makes more than " + MOST_CHARACTERS
                    + " characters of the item and the answer; name shorter values, or each once");
        }
    }

    private static String of(Map<String, Object> item, List<String> path) {
        return find(item, path.subList(1, path.size())).map(GraderTemplate::written)
                .orElseThrow(() -> new ConfigurationException("the item has no '"
                        + String.join(".", path.subList(1, path.size())) + "'; it has " + item.keySet()));
    }

    private static Optional<Object> read(String key, String answer) {
        return switch (key) {
            case "output_text" -> Optional.of(answer);
            case "output_json" -> parsed(answer);
            default -> Optional.of(ToolForm.calls(answer).stream().map(ToolCall::function).toList());
        };
    }

    private static Optional<Object> parsed(String answer) {
        try {
            return Optional.ofNullable(JSON.readValue(answer, Object.class));
        } catch (JsonProcessingException e) {
            return Optional.empty();
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
