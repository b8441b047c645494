package io.peft4j.core.text;

import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One message of a conversation, in the shape of the OpenAI chat format.
 *
 * <p>{@code extra} holds every further field of the message ({@code tool_calls}, {@code name},
 * {@code reasoning_content}, ...) as a deeply unmodifiable JSON-like map, so that a chat template sees exactly what the
 * data holds. Where the JSON content is not a string (a {@code null}, or a list of parts), {@code extra} holds that
 * value under {@code "content"} and the component {@code content} is its text.
 *
 * @param role who speaks: {@code system}, {@code user}, {@code assistant}, {@code tool} or a role of the data's own
 * @param content the text of the message, never null, may be empty
 * @param extra all other fields; allowed are null, Boolean, Number, String, List and Map with String keys
 */
public record ChatMessage(String role, String content, Map<String, Object> extra) {
    private static final String ROLE = "role";
    private static final String CONTENT = "content";

    /**
     * Copies {@code extra} deeply.
     *
     * @throws ConfigurationException if the role or the content is null
     * @throws IllegalArgumentException if {@code extra} holds something that is not JSON-like, or the key {@code role}
     */
    public ChatMessage {
        ConfigurationException.requireGiven(role, "the role of a message", "user, assistant or another role");
        ConfigurationException.requireGiven(content, "the content of a message of the role " + role, "a text");
        if (extra.containsKey(ROLE)) {
            throw new IllegalArgumentException("extra must not contain \"role\"; set the role of the message instead");
        }
        extra = JsonValues.copyMap(extra, "extra");
    }

    /** A message with no further fields. */
    public ChatMessage(String role, String content) {
        this(role, content, Map.of());
    }

    /** A message with the role {@code system}. */
    public static ChatMessage system(String content) {
        return new ChatMessage("system", content);
    }

    /** A message with the role {@code user}. */
    public static ChatMessage user(String content) {
        return new ChatMessage("user", content);
    }

    /** A message with the role {@code assistant}. */
    public static ChatMessage assistant(String content) {
        return new ChatMessage("assistant", content);
    }

    /** Whether the message calls tools, and so needs no content. */
    public boolean hasToolCalls() {
        Object calls = extra.get("tool_calls");
        return calls instanceof List<?> list ? !list.isEmpty() : calls != null || extra.get("function_call") != null;
    }

    /** A message with the role {@code tool}: the answer of a tool call. */
    public static ChatMessage tool(String content) {
        return new ChatMessage("tool", content);
    }

    /**
     * Makes a message of a JSON object. {@link #toMap()} gives the same object back; an absent content is null.
     *
     * @param json must hold a string {@code role}; {@code content} may be a string, null, absent, or a list of parts of
     *     which those with a string {@code text} make up the text; a tool's may be an object, too
     * @throws IllegalArgumentException if the role is missing or the content is of another kind
     */
    public static ChatMessage fromMap(Map<String, ?> json) {
        if (!(json.get(ROLE) instanceof String role)) {
            throw new IllegalArgumentException("a message needs a string \"role\", but has " + json.get(ROLE));
        }
        Map<String, Object> extra = new LinkedHashMap<>(json);
        extra.remove(ROLE);
        Object content = json.get(CONTENT);
        if (content instanceof String text) {
            extra.remove(CONTENT);
            return new ChatMessage(role, text, extra);
        }
        // No content is none: templates leave out what is null. What a tool answers may be any JSON.
        extra.put(CONTENT, content);
        return new ChatMessage(role, role.equals("tool") && content instanceof Map ? content.toString()
                : textOf(content), extra);
    }

    /** The message as a JSON-like object: {@code role}, {@code content}, then the other fields in their order. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(ROLE, role);
        map.put(CONTENT, content);
        map.putAll(extra);
        return map;
    }

    /** The same message with other text; a {@code content} in {@code extra} is dropped. */
    public ChatMessage withContent(String text) {
        Map<String, Object> fields = new LinkedHashMap<>(extra);
        fields.remove(CONTENT);
        return new ChatMessage(role, text, fields);
    }

    private static String textOf(Object content) {
        if (content == null) {
            return "";
        }
        if (!(content instanceof List<?> parts)) {
            throw new IllegalArgumentException("the content of a message must be a string, null or a list of parts,"
                    + " but is " + content);
        }
        StringBuilder text = new StringBuilder();
        for (Object part : parts) {
            if (part instanceof String string) {
                text.append(string);
            } else if (part instanceof Map<?, ?> map && map.get("text") instanceof String string) {
                text.append(string);
            }
        }
        return text.toString();
    }

    /**
     * Copies JSON-like values (null, booleans, numbers, strings, lists, maps with string keys) into unmodifiable ones.
     */
    private static final class JsonValues {
        private JsonValues() {
        }

        /** Returns a deep, unmodifiable copy in the same key order; {@code where} names the value in error messages. */
        static Object copy(Object value, String where) {
            if (value == null || value instanceof String || value instanceof Boolean || value instanceof Number) {
                return value;
            }
            if (value instanceof Map<?, ?> map) {
                return copyMap(map, where);
            }
            if (value instanceof List<?> list) {
                List<Object> copy = new ArrayList<>(list.size());
                for (int i = 0; i < list.size(); i++) {
                    copy.add(copy(list.get(i), where + "[" + i + "]"));
                }
                return Collections.unmodifiableList(copy);
            }
            throw new IllegalArgumentException(where + " is a " + value.getClass().getName()
                    + "; allowed are null, Boolean, Number, String, List and Map with String keys");
        }

        /** {@link #copy} for a map; keys must be strings. */
        static Map<String, Object> copyMap(Map<?, ?> map, String where) {
            Map<String, Object> copy = new LinkedHashMap<>();
            map.forEach((key, value) -> {
                if (!(key instanceof String name)) {
                    throw new IllegalArgumentException(where + " has the key " + key + "; keys must be strings");
                }
                copy.put(name, copy(value, where + "." + name));
            });
            return Collections.unmodifiableMap(copy);
        }
    }
}
