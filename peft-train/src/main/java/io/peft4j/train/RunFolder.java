package io.peft4j.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * The output folder of a training: {@code metrics.jsonl}, one object a line as it happens, and in the end the adapter.
 */
final class RunFolder implements TrainingListener, AutoCloseable {
    private static final List<String> SIGNS_OF_A_RUN = List.of("metrics.jsonl", "adapter_config.json",
            "adapter_model.safetensors");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final Writer metrics;

    private RunFolder(Path folder, Writer metrics) {
        this.folder = folder;
        this.metrics = metrics;
    }

    /**
     * Makes the folder.
     *
     * @throws ConfigurationException when it holds a run already
     * @throws UncheckedIOException when it cannot be written
     */
    static RunFolder create(Path folder) {
        for (String sign : SIGNS_OF_A_RUN) {
            if (Files.exists(folder.resolve(sign))) {
                throw new ConfigurationException("the output folder " + folder + " already holds a run (" + sign
                        + "); give another folder, or move this one away");
            }
        }
        try {
            Files.createDirectories(folder);
            return new RunFolder(folder, Files.newBufferedWriter(folder.resolve("metrics.jsonl"),
                    StandardCharsets.UTF_8, StandardOpenOption.CREATE_NEW));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to the output folder " + folder, e);
        }
    }

    @Override
    public void onStep(StepMetrics step) {
        ObjectNode line = JSON.createObjectNode();
        line.put("step", step.step());
        line.put("epoch", step.epoch());
        line.put("train_loss", step.trainLoss());
        line.put("learning_rate", step.learningRate());
        line.put("grad_norm", step.gradNorm());
        line.put("tokens", step.tokens());
        line.put("supervised_tokens", step.supervisedTokens());
        line.put("tokens_per_s", step.tokensPerSecond());
        write(line);
    }

    @Override
    public void onEvaluation(long step, double epoch, double evalLoss) {
        ObjectNode line = JSON.createObjectNode();
        line.put("step", step);
        line.put("epoch", epoch);
        line.put("eval_loss", evalLoss);
        write(line);
    }

    private void write(ObjectNode line) {
        try {
            metrics.write(line + "\n");
            metrics.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write metrics.jsonl in " + folder, e);
        }
    }

    @Override
    public void close() {
        try {
            metrics.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write metrics.jsonl in " + folder, e);
        }
    }
}
