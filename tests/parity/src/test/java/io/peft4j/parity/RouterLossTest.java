package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.Masking;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.task.JudgedAnswer;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.DistillationObjective;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.objective.KtoObjective;
import io.peft4j.train.objective.NextTokenObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.optimizer.Sgd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The load-balancing loss of routers in objectives other than next-token prediction, whose own is held to Transformers
 * by {@link FamiliesTest}.
 */
class RouterLossTest {
    private static final Path FIXTURE = Fixtures.FOLDER.resolve("families").resolve("mixtral-balanced");
    private static final String QUESTION = "Who is it?";
    private static final String ANSWER = "The keeper of the lamp.";

    @TempDir
    Path folder;
    private ObjectNode config;

    @BeforeEach
    void read() {
        config = (ObjectNode) Fixtures.json(FIXTURE.resolve("config.json"));
        // Large beside the other losses, so that what is missing or counted twice shows.
        config.put("router_aux_loss_coef", 2.0);
    }

    private BaseModel load(boolean balanced) {
        try {
            Path model = Files.createDirectories(folder.resolve("balanced-" + balanced));
            Files.writeString(model.resolve("config.json"), new ObjectMapper().writeValueAsString(
                    config.deepCopy().put("output_router_logits", balanced)));
            Files.copy(FIXTURE.resolve("model.safetensors"), model.resolve("model.safetensors"));
            for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
                Files.copy(Fixtures.FOLDER.resolve("tiny-llama").resolve(file), model.resolve(file));
            }
            return BaseModel.load(ModelLocator.fromEnvironment().locate(model.toString()),
                    ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32), new NaiveKernels());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ChatExample chat(String answer) {
        return ChatExample.of(ChatMessage.user(QUESTION), ChatMessage.assistant(answer));
    }

    private static <E> TrainingResult train(PeftModel model, Objective<E> objective, List<E> examples) {
        return Trainer.builder(model).epochs(1).batchSize(4).learningRate(1).schedule(LearningRateSchedule.CONSTANT)
                .optimizer(new Sgd(0, false)).maxGradNorm(1e6).build().train(objective, examples);
    }

    private static PeftModel adapted(BaseModel base) {
        return base.withAdapter(LoraConfig.builder().rank(2).alpha(4).targetModules("q_proj", "o_proj").build());
    }

    private <E> double firstLoss(boolean balanced, Function<PeftModel, Objective<E>> objective, List<E> examples) {
        try (BaseModel base = load(balanced); PeftModel model = adapted(base)) {
            return train(model, objective.apply(model), examples).steps().get(0).trainLoss();
        }
    }

    /** What routers add to the loss of these conversations together. */
    private double added(List<ChatExample> chats) {
        double[] losses = new double[2];
        for (int i = 0; i < 2; i++) {
            try (BaseModel base = load(i == 0); PeftModel model = adapted(base)) {
                losses[i] = train(model, NextTokenObjective.ofSequences(), chats.stream()
                        .map(ChatEncoder.of(model, Masking.ASSISTANT)::encode).toList()).steps().get(0).trainLoss();
            }
            clear();
        }
        return losses[0] - losses[1];
    }

    private void clear() {
        for (String model : List.of("balanced-true", "balanced-false")) {
            for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
                folder.resolve(model).resolve(file).toFile().delete();
            }
        }
    }

    @Test
    void preferencesHaveIt() {
        double added = added(List.of(chat(ANSWER), chat("Nobody.")));
        assertTrue(added > 1, "added " + added);
        // Before the first update both answers are as likely as to the base.
        assertEquals(Math.log(2) + added, firstLoss(true, DpoObjective::new,
                List.of(PreferenceExample.of(QUESTION, ANSWER, "Nobody."))), 1e-5);
    }

    @Test
    void judgedAnswersHaveIt() {
        double added = added(List.of(chat(ANSWER), chat("Nobody.")));
        assertEquals(0.5 + added, firstLoss(true, KtoObjective::new, List.of(JudgedAnswer.of(QUESTION, ANSWER, true),
                JudgedAnswer.of(QUESTION, "Nobody.", false))), 1e-5);
    }

    @Test
    void aDistillationFromTheModelItselfLearnsNothingElse() {
        float[] told;
        double added = added(List.of(chat(ANSWER)));
        try (BaseModel base = load(true); PeftModel model = adapted(base)) {
            TrainingResult result = train(model, new DistillationObjective(model, base, 1, 1), List.of(chat(ANSWER)));
            assertEquals(added, result.steps().get(0).trainLoss(), 1e-5);
            told = values(model);
        }
        clear();
        float[][] changes = new float[2][];
        for (int i = 0; i < 2; i++) {
            try (BaseModel base = load(i == 0); PeftModel model = adapted(base)) {
                train(model, NextTokenObjective.ofSequences(), List.of(ChatEncoder.of(model).encode(chat(ANSWER))));
                changes[i] = values(model);
            }
            clear();
        }
        float[] difference = new float[told.length];
        float largest = 0;
        for (int i = 0; i < told.length; i++) {
            // A begins with values, B with 0, and only B has a gradient in the first update.
            difference[i] = changes[0][i] == changes[1][i] ? told[i] : changes[0][i] - changes[1][i];
            largest = Math.max(largest, Math.abs(changes[0][i] - changes[1][i]));
        }
        assertTrue(largest > 1e-4, "largest change " + largest);
        assertArrayEquals(difference, told, 1e-3f * largest);
    }

    private static float[] values(PeftModel model) {
        List<float[]> all = model.trainableParameters().stream().map(Parameter::value).map(Arrays::toFloats).toList();
        float[] joined = new float[all.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : all) {
            System.arraycopy(part, 0, joined, at, part.length);
            at += part.length;
        }
        return joined;
    }
}
