package io.peft4j.benchmarks;

import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.data.task.LabelledText;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.ClassificationObjective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * The speed of an encoder: LoRA steps of a classifier on batches of 32 texts, and embeddings. {@code
 * encoder/measure_hf.py} measures the same in Python. Arguments: the model, a file with a text a line for the steps, a
 * file for the embeddings, and f32 or bf16.
 */
public final class EncoderSpeed {
    private static final int BATCH = 32;

    private EncoderSpeed() {
    }

    /** Runs the program. */
    public static void main(String[] args) throws IOException {
        ModelOptions options = ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.valueOf(args[3].toUpperCase(Locale.ROOT)));
        List<LabelledText> texts = Files.readAllLines(Path.of(args[1])).stream()
                .map(text -> LabelledText.of(text, String.valueOf(text.length() % 2))).toList();
        try (BaseModel base = BaseModel.load(args[0], options.withTask(Task.classification("0", "1")));
                PeftModel model = base.withAdapter(LoraConfig.builder().rank(8).alpha(16).build())) {
            TrainingResult run = Trainer.builder(model).epochs(6).batchSize(BATCH).learningRate(1e-4).build()
                    .train(new ClassificationObjective(model), texts);
            double[] seconds = run.steps().stream().mapToDouble(step -> step.seconds()).sorted().toArray();
            System.out.printf(Locale.ROOT, "step: median %.1f ms, best %.1f ms over %d steps of %d texts%n",
                    1e3 * seconds[seconds.length / 2], 1e3 * seconds[0], seconds.length, BATCH);
        }
        List<String> more = Files.readAllLines(Path.of(args[2]));
        try (BaseModel base = BaseModel.load(args[0], options.withTask(Task.EMBEDDING))) {
            TextEmbedder embedder = new TextEmbedder(base);
            for (int round = 0; round < 4; round++) {
                long begin = System.nanoTime();
                embedder.embed(more);
                System.out.printf(Locale.ROOT, "embeddings: %d texts in %.3f s%n", more.size(),
                        (System.nanoTime() - begin) / 1e9);
            }
        }
    }
}
