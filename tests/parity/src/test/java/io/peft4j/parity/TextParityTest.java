package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ChatExample;
import io.peft4j.models.tokenizer.Tokenizers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Token ids, rendered chats and supervised tokens against those of Transformers. */
class TextParityTest {
    @ParameterizedTest
    @FieldSource("io.peft4j.parity.Fixtures#MODELS")
    void texts(String name) {
        try (Tokenizer tokenizer = Tokenizers.fromFolder(Fixtures.FOLDER.resolve(name))) {
            for (JsonNode row : Fixtures.json(name + "/expected.json").get("texts")) {
                if (!row.get("text").isNull()) {
                    assertArrayEquals(Fixtures.ids(row.get("input_ids")),
                            tokenizer.encodeWithSpecials(row.get("text").asText()), row.get("text").asText());
                }
            }
        }
    }

    @ParameterizedTest
    @FieldSource("io.peft4j.parity.Fixtures#MODELS")
    void chatsAndTheirSupervisedTokens(String name) {
        try (Tokenizer tokenizer = Tokenizers.fromFolder(Fixtures.FOLDER.resolve(name))) {
            for (JsonNode row : Fixtures.json(name + "/expected.json").get("chats")) {
                String rendered = template(tokenizer).render(Fixtures.messages(row.get("messages")), false);
                assertEquals(row.get("rendered").asText(), rendered);
                assertArrayEquals(Fixtures.ids(row.get("input_ids")), tokenizer.encode(rendered), rendered);
                assertSupervised(tokenizer, row);
            }
        }
    }

    @Test
    void trainingExamples() {
        try (Tokenizer tokenizer = Tokenizers.fromFolder(Fixtures.FOLDER.resolve("tiny-llama"))) {
            Fixtures.json("training/examples.json").get("examples").forEach(row -> assertSupervised(tokenizer, row));
        }
    }

    private static void assertSupervised(Tokenizer tokenizer, JsonNode row) {
        List<ChatMessage> messages = Fixtures.messages(row.get("messages"));
        TokenSequence ours = new ChatEncoder(tokenizer, template(tokenizer))
                .encode(ChatExample.of(messages.toArray(ChatMessage[]::new)));
        TokenSequence theirs = Fixtures.supervised(row);
        assertArrayEquals(theirs.ids(), ours.ids(), messages.toString());
        assertArrayEquals(theirs.weights(), ours.weights(), messages.toString());
    }

    private static ChatTemplate template(Tokenizer tokenizer) {
        return tokenizer.chatTemplate().orElseThrow();
    }
}
