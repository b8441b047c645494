package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.DataException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.Masking;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.models.tokenizer.JinjaChatTemplate;
import io.peft4j.models.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Token ids and masks of the templates of model families equal those that transformers gives for the same templates
 * with {@code {% generation %}} marks ({@code fixtures/masks/make_masks.py}).
 */
class MaskParityTest {
    private static final Path TEMPLATES = Path.of("../../formats/jinja/src/test/resources/fixtures/templates");
    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @ValueSource(strings = {"chatml", "llama3", "gemma", "phi", "qwen3", "qwen25_tools", "mistral_tools"})
    void masksMatchTransformers(String family) throws IOException {
        JsonNode fixture = Fixtures.json("masks/masks.json").get("families").get(family);
        JinjaChatTemplate template = JinjaChatTemplate.of(
                Files.readString(TEMPLATES.resolve(family + ".jinja")),
                Map.of("bos_token", fixture.get("bos").asText(), "eos_token", fixture.get("eos").asText()));
        try (Tokenizer tokenizer = Tokenizers.fromFolder(Fixtures.FOLDER.resolve("masks/tokenizer"))) {
            for (JsonNode row : fixture.get("cases")) {
                String name = family + ", " + row.get("name").asText();
                ChatExample example = example(row);
                assertEquals(row.get("text").asText(), template.render(example.messages(), false, example.tools(),
                        Map.of()), name);
                if (family.equals("mistral_tools") && row.get("name").asText().equals("system")) {
                    // Its system message is in the prompt and is gone once the answer is there.
                    assertThrows(DataException.class, () -> new ChatEncoder(tokenizer, template).encode(example), name);
                    continue;
                }
                float[] mask = mask(row);
                boolean rewrites = family.equals("qwen3") && answers(example) > 1;
                if (rewrites) {
                    // Earlier answers lose their empty thoughts when others follow.
                    ChatEncoder encoder = new ChatEncoder(tokenizer, template);
                    assertThrows(DataException.class, () -> encoder.encode(example), name);
                    keepLastRun(mask);
                }
                TokenSequence ours = new ChatEncoder(tokenizer, template, rewrites ? Masking.LAST_TURN
                        : Masking.ASSISTANT).encode(example);
                assertArrayEquals(Fixtures.ids(row.get("ids")), ours.ids(), name);
                assertArrayEquals(mask, ours.weights(), name);
            }
        }
    }

    private static long answers(ChatExample example) {
        return example.messages().stream().filter(message -> message.role().equals("assistant")).count();
    }

    private static float[] mask(JsonNode row) {
        float[] mask = new float[row.get("mask").size()];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = row.get("mask").get(i).asInt();
        }
        return mask;
    }

    private static void keepLastRun(float... mask) {
        int at = mask.length - 1;
        while (mask[at] == 0) {
            at--;
        }
        while (at >= 0 && mask[at] == 1) {
            at--;
        }
        for (; at >= 0; at--) {
            mask[at] = 0;
        }
    }

    @SuppressWarnings("unchecked")
    private static ChatExample example(JsonNode row) {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : row.get("messages")) {
            messages.add(ChatMessage.fromMap(JSON.convertValue(message, Map.class)));
        }
        List<Map<String, Object>> tools = new ArrayList<>();
        row.get("tools").forEach(tool -> tools.add(JSON.convertValue(tool, Map.class)));
        return new ChatExample(messages, tools, Map.of(), new Origin("masks.json", 1));
    }
}
