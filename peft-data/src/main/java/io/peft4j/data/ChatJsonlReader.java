package io.peft4j.data;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads OpenAI's chat format row by row; every complaint names file, line and where possible column. */
final class ChatJsonlReader {
    private static final Logger LOG = LoggerFactory.getLogger(ChatJsonlReader.class);
    private static final Set<String> ROLES = new LinkedHashSet<>(
            List.of("system", "developer", "user", "assistant", "tool", "function"));
    private static final Set<String> MESSAGE_KEYS = Set.of("role", "content", "name", "weight", "tool_calls",
            "tool_call_id", "function_call", "refusal", "reasoning_content");
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path file;
    private final Set<String> unknownKeys = new LinkedHashSet<>();

    ChatJsonlReader(Path file) {
        this.file = file;
    }

    List<ChatExample> read() {
        List<ChatExample> examples = new ArrayList<>();
        long line = 0;
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(Files.newInputStream(file),
                StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)))) {
            for (String row = reader.readLine(); row != null; row = reader.readLine()) {
                line++;
                if (line == 1 && row.startsWith("\uFEFF")) {
                    row = row.substring(1);
                }
                if (!row.isBlank()) {
                    examples.add(example(row, line));
                }
            }
        } catch (CharacterCodingException e) {
            throw new DataException(file, line + 1, 0, "is not UTF-8 text at or soon after this line; convert the file "
                    + "to UTF-8", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
        if (examples.isEmpty()) {
            throw new DataException(file, "holds no example; expected one JSON object with \"messages\" a line");
        }
        if (!unknownKeys.isEmpty()) {
            LOG.warn("{}: messages hold keys that the chat format does not have: {}; they are passed to the chat template "
                    + "and otherwise ignored", file, unknownKeys);
        }
        return examples;
    }

    private ChatExample example(String row, long line) {
        Map<String, Object> fields = parse(row, line);
        if (!(fields.remove("messages") instanceof List<?> list)) {
            throw wrong(line, "has no list \"messages\"");
        }
        if (list.isEmpty()) {
            throw wrong(line, "\"messages\" is empty");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            messages.add(message(list.get(i), i, line));
        }
        if (messages.stream().noneMatch(m -> m.role().equals("assistant"))) {
            throw wrong(line, "has no message of the assistant, so there is nothing to learn from");
        }
        return new ChatExample(messages, tools(fields.remove("tools"), line), fields,
                new ChatExample.Origin(file.toString(), line));
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> parse(String row, long line) {
        try {
            Object value = JSON.readValue(row, Object.class);
            if (!(value instanceof Map<?, ?> map)) {
                throw wrong(line, "is not a JSON object");
            }
            return new LinkedHashMap<>((Map<String, Object>) map);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new DataException(file, line, at == null ? 0 : at.getColumnNr(),
                    "is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private ChatMessage message(Object value, int index, long line) {
        String where = "message " + (index + 1);
        if (!(value instanceof Map<?, ?> map)) {
            throw wrong(line, where + " is not an object");
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        map.forEach((k, v) -> fields.put((String) k, v));
        fields.keySet().stream().filter(k -> !MESSAGE_KEYS.contains(k)).forEach(unknownKeys::add);
        if (!(fields.get("role") instanceof String role)) {
            throw wrong(line, where + " has no \"role\"; the roles are " + ROLES);
        }
        if (!ROLES.contains(role)) {
            throw wrong(line, where + " has the role \"" + role + "\"; the roles are " + ROLES);
        }
        boolean calls = fields.get("tool_calls") != null || fields.get("function_call") != null;
        if (fields.get("content") == null && !calls) {
            throw wrong(line, where + " (" + role + ") has no \"content\"");
        }
        checkWeight(fields.get("weight"), role, where, line);
        try {
            return ChatMessage.fromMap(fields);
        } catch (IllegalArgumentException e) {
            throw wrong(line, where + ": " + e.getMessage());
        }
    }

    private void checkWeight(Object weight, String role, String where, long line) {
        if (weight == null) {
            return;
        }
        boolean valid = weight instanceof Integer number && (number == 0 || number == 1);
        if (!valid || !role.equals("assistant")) {
            throw wrong(line, where + " (" + role + ") has the weight " + weight
                    + "; only messages of the assistant have one, and it is 0 or 1");
        }
    }

    private List<Map<String, Object>> tools(Object value, long line) {
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof List<?> list)) {
            throw wrong(line, "\"tools\" is not a list");
        }
        List<Map<String, Object>> tools = new ArrayList<>();
        for (Object tool : list) {
            if (!(tool instanceof Map<?, ?> map)) {
                throw wrong(line, "\"tools\" holds something that is not an object");
            }
            Map<String, Object> copy = new LinkedHashMap<>();
            map.forEach((k, v) -> copy.put((String) k, v));
            tools.add(copy);
        }
        return tools;
    }

    private DataException wrong(long line, String message) {
        return new DataException(file, line, message);
    }
}
