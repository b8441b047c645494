package io.peft4j.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.augment.Augmentation;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.QuestionText;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The base model itself rewords the handbook's questions; what is kept asks for the same fact. */
@Tag("model")
@Tag("full")
class SmolLm2AugmentationTest {
    private static final Path HANDBOOK = Path.of("../../examples/handbook");

    @Test
    void theBaseModelWritesWordingsThatKeepTheFact() {
        List<ChatExample> some = ChatDataset.read(HANDBOOK.resolve("train.jsonl")).examples().subList(0, 16);
        List<ChatExample> heldOut = ChatDataset.read(HANDBOOK.resolve("heldout.jsonl")).examples();
        List<ChatExample> written;
        // What is drawn hangs on rounding, and that of bf16 on the processor.
        try (BaseModel base = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct",
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32))) {
            written = new Augmentation(4).with(base).holdingOut(heldOut).of(some);
        }
        Set<String> held = heldOut.stream().map(e -> QuestionText.looseKey(question(e))).collect(Collectors.toSet());
        Set<String> seen = new HashSet<>();
        int byModel = 0;
        for (ChatExample example : written) {
            ChatExample origin = some.stream().filter(e -> e.origin().equals(example.origin())).findFirst()
                    .orElseThrow();
            assertTrue(QuestionText.sameNamesAndNumbers(question(origin), question(example)), question(example));
            assertEquals(origin.messages().get(1), example.messages().get(1));
            assertFalse(held.contains(QuestionText.looseKey(question(example))), "held out: " + question(example));
            assertTrue(seen.add(QuestionText.key(question(example))), "twice: " + question(example));
            byModel += example.extra().get(Augmentation.MARK).equals("model") ? 1 : 0;
        }
        // 64 were asked for; most of what so small a model writes is another question or an answer, and is dropped.
        assertTrue(byModel >= 3, byModel + " paraphrases by the model");
    }

    private static String question(ChatExample example) {
        return example.messages().stream().filter(m -> m.role().equals("user")).map(ChatMessage::content).findFirst()
                .orElseThrow();
    }
}
