package io.peft4j.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.Mutator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Damages the content of files at random: bytes, texts by their words, JSON by its tree. */
final class Damage {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern WORD = Pattern.compile("\\w+|\\s+|[^\\w\\s]");
    private static final String[] WORDS = {
        "", " ", "\n", "\r\n", "\0", "\uFEFF", "\ud800", "-1", "0", "1", "64", "65535", "2147483647", "4294967296",
        "9223372036854775807", "1e400", "NaN", "null", "true", "\"", "'", "\\", "{", "}", "[", "]", "{{", "}}", "{%",
        "%}", "<", ">", ",", ";", "\t", "|", "#", "```", "((", "a+", "(a+)+$", "\\K", "(?=", ".*", "\u0130", "\ufdfa",
        "e\u0301", "\ud83d\ude00", "x".repeat(300), "[".repeat(300), "<div>".repeat(300), " ".repeat(300),
    };
    private static final String[] VALUES = {
        "null", "true", "false", "0", "1", "2", "-1", "3", "7", "255", "65536", "2147483647", "2147483648",
        "4294967295", "4294967296", "9223372036854775807", "18446744073709551616", "1e308", "1e400", "0.5", "-0.0",
        "\"\"", "\" \"",
        "\"a\"", "\"\\u2581\"", "\"##\"", "\"\\u0000\"", "\"x\"", "\"type\"", "\"<unk>\"", "[]", "{}", "[[]]", "[0]",
        "[1,2,3]", "{\"String\":\"\"}", "{\"Regex\":\"\"}", "{\"Regex\":\"(a|aa)+$\"}", "{\"Regex\":\"\\\\s*\"}",
        "{\"Regex\":\"(?=.*.*.*x)\"}", "{\"Regex\":\"[^a]+\"}", "\"float32\"", "\"bfloat16\"", "\"all-linear\"",
    };

    private final Random random;
    private final Mutator bytes;

    Damage(long seed) {
        this.random = new Random(seed);
        this.bytes = new Mutator(random.nextLong());
    }

    int below(int limit) {
        return random.nextInt(limit);
    }

    <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    /** A damaged copy; most of the damage is done to the first bytes. */
    byte[] bytes(byte[] content, int head) {
        return bytes.mutate(content, Math.min(head, content.length));
    }

    /** A text damaged in one of the three ways. */
    byte[] text(byte[] content) {
        String text = new String(content, StandardCharsets.UTF_8);
        return switch (random.nextInt(4)) {
            case 0 -> bytes(content, content.length);
            case 1 -> text.startsWith("{") ? json(content, 1 + random.nextInt(4)) : words(text);
            default -> words(text);
        };
    }

    private byte[] words(String text) {
        String damaged = text;
        for (int change = random.nextInt(4); change >= 0; change--) {
            List<int[]> places = new ArrayList<>();
            Matcher matcher = WORD.matcher(damaged);
            while (matcher.find()) {
                places.add(new int[] {matcher.start(), matcher.end()});
            }
            if (!places.isEmpty()) {
                int[] place = one(places);
                int[] other = one(places);
                String word = random.nextInt(3) == 0 ? damaged.substring(other[0], other[1])
                        : WORDS[random.nextInt(WORDS.length)];
                damaged = damaged.substring(0, place[0]) + word + damaged.substring(place[random.nextInt(2)]);
            }
        }
        return damaged.getBytes(StandardCharsets.UTF_8);
    }

    /** JSON with some of its values replaced, removed, doubled or moved. */
    byte[] json(byte[] content, int changes) {
        try {
            JsonNode root = JSON.readTree(content);
            for (int i = 0; i < changes; i++) {
                change(root);
            }
            return JSON.writeValueAsBytes(root);
        } catch (IOException e) {
            return bytes(content, content.length);
        }
    }

    private void change(JsonNode root) throws IOException {
        List<JsonNode> containers = new ArrayList<>();
        collect(root, containers);
        JsonNode place = one(containers);
        JsonNode value = random.nextInt(3) == 0 ? one(containers).deepCopy()
                : JSON.readTree(VALUES[random.nextInt(VALUES.length)]);
        if (value.toString().length() > 2000) {
            return;
        }
        if (place instanceof ArrayNode array && array.size() > 0) {
            int at = random.nextInt(array.size());
            switch (random.nextInt(4)) {
                case 0 -> array.remove(at);
                case 1 -> array.insert(at, value);
                case 2 -> array.add(array.get(at));
                default -> array.set(at, value);
            }
        } else if (place instanceof ObjectNode object && object.size() > 0) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            switch (random.nextInt(5)) {
                case 0 -> object.remove(one(names));
                case 1 -> object.set(one(names), object.get(one(names)));
                default -> object.set(one(names), value);
            }
        }
    }

    /** Every list and object, and those near the root more often than the rest, which is mostly vocabulary. */
    private void collect(JsonNode node, List<JsonNode> into) {
        into.add(node);
        int seen = 0;
        for (JsonNode child : node) {
            if (child.isContainerNode() && seen++ < 20) {
                collect(child, into);
            }
        }
    }
}
