package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.Peft4j;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.SplitOptions;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.report.DataCheck;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.ChatObjective;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.runs.TrainingRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What printing things shows: what they are, in few words. */
class PrintedTest {
    private static final int MOST_CHARACTERS = 1000;

    @TempDir
    private Path folder;

    @Test
    void whatIsPrintedSaysWhatItIs() throws IOException {
        ChatDataset chats = ChatDataset.of(IntStream.range(0, 500).mapToObj(i -> ChatExample.of(
                ChatMessage.user("Question " + i), ChatMessage.assistant("Answer " + i))).toList());
        Path file = folder.resolve("chats.jsonl");
        Files.write(file, IntStream.range(0, 500).mapToObj(i -> "{\"prompt\": \"Question " + i
                + "\", \"completion\": \"Answer " + i + "\"}").toList());
        try (BaseModel base = BaseModel.load(Fixtures.FOLDER.resolve("tiny-llama").toString());
                PeftModel model = base.withAdapter(Peft4j.lora().rank(2).build())) {
            Adapter adapter = model.adapter("default");
            ChatEncoder encoder = ChatEncoder.of(base);
            TokenSequence sequence = encoder.encode(chats.examples().get(0));
            Trainer trainer = Trainer.builder(model).epochs(1).output(folder.resolve("run")).build();
            List<Object> things = List.of(base, model, chats, chats.split(SplitOptions.ratios(0.8, 0.2)), adapter,
                    adapter.layers().get(0), adapter.layers().get(0).tensors().get(0),
                    model.trainableParameters().get(0), base.network().slots().get(0),
                    base.network().slots().get(0).layer(), base.network().description(), model.status(), encoder,
                    encoder.encode(chats, 100), sequence, PackedBatch.of(List.of(sequence)), base.engine(), trainer,
                    trainer.train(chats), TrainingRecord.read(folder.resolve("run")), DataCheck.of(file).run(),
                    new ChatObjective(model), new DpoObjective(model), base.tokenizer(), base.network());
            for (Object thing : things) {
                String text = thing.toString();
                assertTrue(!text.isBlank() && text.length() <= MOST_CHARACTERS, thing.getClass() + ": " + text);
                assertTrue(!text.matches("(?s).*[\\w\\]]@[0-9a-f]{4,8}\\b.*"), text);
            }
            assertEquals("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight [2, 32]",
                    model.trainableParameters().get(0).toString());
        }
    }
}
