package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.task.TextPair;
import io.peft4j.models.BaseModel;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.objective.ContrastiveObjective;
import io.peft4j.train.objective.DistillationObjective;
import io.peft4j.train.objective.SelfDistillationObjective;
import io.peft4j.train.objective.SelfDistillationOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Twelve updates of a contrastive loss with a cache of gradients, and of distillation, against their references. */
class ObjectiveParityTest {
    private static final JsonNode EXPECTED = Fixtures.json("objectives.json");
    /** Of losses near 1 to 10; rounding of f32 over twelve updates on both sides. */
    private static final double CLOSE = 1e-4;

    private static TrainerBuilder trainer(PeftModel model, JsonNode run, int batch, int epochs) {
        return Trainer.builder(model).batchSize(batch).epochs(epochs).shuffle(false)
                .learningRate(run.get("learning_rate").asDouble()).schedule(LearningRateSchedule.CONSTANT);
    }

    private static List<TextPair> triples() {
        return Fixtures.stream(EXPECTED.get("cached").get("triples")).map(row -> TextPair.of(row.get(0).asText(),
                row.get(1).asText(), row.get(2).asText())).toList();
    }

    @Test
    void aBatchThatRunsInPartsIsThatOfSentenceTransformers() {
        JsonNode run = EXPECTED.get("cached");
        try (BaseModel base = KernelsUnderTest.naive("sentences/mean-normalized");
                PeftModel model = base.withAdapter(Fixtures.FOLDER.resolve("sentences/mean-normalized/adapter"))) {
            ContrastiveObjective objective = new ContrastiveObjective(model);
            List<StepMetrics> steps = trainer(model, run, triples().size(), 12).build().train(
                    objective.withGradientCache(run.get("examples_a_pass").asInt()), triples()).steps();

            double[] losses = Fixtures.doubles(run.get("losses"));
            assertEquals(losses.length, steps.size());
            for (int i = 0; i < losses.length; i++) {
                assertEquals(losses[i], steps.get(i).trainLoss(), CLOSE * Math.max(1, losses[i]), "loss " + i);
            }
            assertThrows(ConfigurationException.class, () -> objective.withGradientCache(0));
        }
    }

    @Test
    void aStudentLearnsFromItsTeacherAsInPyTorch() {
        JsonNode run = EXPECTED.get("distillation");
        List<ChatExample> chats = Fixtures.stream(Fixtures.json("preferences.json").get("pairs"))
                .map(row -> ChatExample.of(ChatMessage.user(row.get(0).asText()),
                        ChatMessage.assistant(row.get(1).asText())))
                .toList();
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel student = base.withAdapter(Fixtures.FOLDER.resolve(run.get("student").asText()));
                PeftModel teacher = base.withAdapter(Fixtures.FOLDER.resolve(run.get("teacher").asText()))) {
            List<StepMetrics> steps = trainer(student, run, run.get("batch").asInt(), 4).build().train(
                    new DistillationObjective(student, teacher, run.get("temperature").asDouble(),
                            run.get("share").asDouble()),
                    chats, chats).steps();

            assertEquals(EXPECTED.get("distillation_steps").size(), steps.size());
            for (int i = 0; i < steps.size(); i++) {
                JsonNode row = EXPECTED.get("distillation_steps").get(i);
                double loss = row.get("loss").asDouble();
                assertEquals(loss, steps.get(i).trainLoss(), CLOSE * loss, "loss " + i);
                for (String name : List.of("nll", "teacher_kl")) {
                    assertEquals(row.get(name).asDouble(), steps.get(i).measures().get(name),
                            CLOSE * row.get(name).asDouble(), name + " " + i);
                }
            }
        }
    }

    @Test
    void aModelLearnsFromItselfAsInTrl() {
        JsonNode expected = Fixtures.json("self_distillation.json");
        List<ChatExample> chats = new ArrayList<>();
        Fixtures.stream(expected.get("pairs")).forEach(row -> chats.add(new ChatExample(
                List.of(ChatMessage.user(row.get(0).asText()), ChatMessage.assistant(row.get(1).asText())), List.of(),
                Map.of("context", expected.get("contexts").get(chats.size()).asText()), Origin.PROGRAM)));
        BaseModel base = KernelsUnderTest.sharedNaive(expected.get("model").asText());
        for (JsonNode run : expected.get("runs")) {
            SelfDistillationOptions options = SelfDistillationOptions.defaults().withAlpha(run.get("alpha").asDouble())
                    .along(SelfDistillationOptions.Along.GIVEN).withTeacher(SelfDistillationOptions.Teacher.valueOf(
                            run.get("teacher").asText().toUpperCase(Locale.ROOT)));
            try (PeftModel model = base.withAdapter(Fixtures.adapter(expected.get("adapter").asText()))) {
                List<StepMetrics> steps = trainer(model, expected, expected.get("batch").asInt(), 4).build().train(
                        new SelfDistillationObjective(model, options), chats).steps();

                double[] losses = Fixtures.doubles(run.get("losses"));
                assertEquals(losses.length, steps.size());
                for (int i = 0; i < losses.length; i++) {
                    assertEquals(losses[i], steps.get(i).trainLoss(), CLOSE * losses[i], run + ": loss " + i);
                }
            }
        }
    }

    @Test
    void aTeacherWithAnotherVocabularyIsRefused() {
        BaseModel student = KernelsUnderTest.sharedNaive("tiny-llama");
        BaseModel teacher = KernelsUnderTest.sharedNaive("tiny-llama-untied");

        String message = assertThrows(ConfigurationException.class, () -> new DistillationObjective(student, teacher))
                .getMessage();

        assertTrue(message.contains("has 392 tokens") && message.contains("has 384"), message);
    }
}
