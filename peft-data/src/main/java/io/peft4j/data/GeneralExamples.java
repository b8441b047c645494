package io.peft4j.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** The general examples that come with the library. */
final class GeneralExamples {
    private static final String FILE = "general.jsonl";
    private static final ObjectMapper JSON = new ObjectMapper();

    private GeneralExamples() {
    }

    static ChatDataset all() {
        try (InputStream in = GeneralExamples.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new FileNotFoundException("missing from the jar");
            }
            List<ChatExample> examples = new ArrayList<>();
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
                List<ChatMessage> messages = StreamSupport.stream(JSON.readTree(line).get("messages").spliterator(),
                        false).map(GeneralExamples::message).toList();
                examples.add(new ChatExample(messages, List.of(), Map.of(), new Origin(Origin.GENERAL,
                        examples.size() + 1)));
            }
            return ChatDataset.of(examples);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the built-in general examples", e);
        }
    }

    private static ChatMessage message(JsonNode message) {
        return new ChatMessage(message.get("role").asText(), message.get("content").asText(), Map.of());
    }
}
