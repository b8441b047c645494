package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Trainings of nine updates that end early, and what they leave. */
public final class Runs {
    /** Epochs of 3 updates, the last of an epoch smaller, and each of up to 2 batches. */
    public static final int STEPS = 9;
    public static final List<TokenSequence> EXAMPLES = Tiny.examples(12, 1).subList(0, 11);
    public static final List<TokenSequence> HELD = Tiny.examples(4, 2);

    private Runs() {
    }

    /** What ends a training in its middle. */
    public static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    public static TrainerBuilder builder(Tiny tiny, Path output) {
        return tiny.trainer().epochs(3).batchSize(2).gradientAccumulation(2).learningRate(0.01)
                .schedule(LearningRateSchedule.COSINE).warmupSteps(2).weightDecay(0.01).seed(11)
                .validation(HELD).output(output);
    }

    public static TrainingResult train(Tiny model, Path output, UnaryOperator<TrainerBuilder> more) {
        try (Tiny tiny = model) {
            return more.apply(builder(tiny, output)).build().train(EXAMPLES);
        }
    }

    public static TrainingResult train(Path output, UnaryOperator<TrainerBuilder> more) {
        return train(new Tiny(0.2, new NaiveKernels()), output, more);
    }

    public static TrainingResult resume(Path output) {
        return train(output, b -> b.start(RunStart.RESUME));
    }

    /** Does something after an update; what it throws ends the training. */
    public static UnaryOperator<TrainerBuilder> after(long step, Runnable action) {
        return builder -> builder.listener(new TrainingListener() {
            @Override
            public boolean failureEndsTraining() {
                return true;
            }

            @Override
            public void onStep(StepMetrics metrics) {
                if (metrics.step() == step) {
                    action.run();
                }
            }
        });
    }

    public static UnaryOperator<TrainerBuilder> crashingAfter(long step) {
        return after(step, () -> {
            throw new Crash();
        });
    }

    public static UnaryOperator<TrainerBuilder> cancellingAfter(long step) {
        Cancellation cancellation = new Cancellation();
        return builder -> after(step, cancellation::cancel).apply(builder.cancellation(cancellation));
    }

    public static byte[] weights(Path output) throws IOException {
        return Files.readAllBytes(output.resolve(AdapterCheckpoint.WEIGHTS_FILE));
    }

    /** The lines of the metrics without the speed, which differs from run to run. */
    public static List<JsonNode> metrics(Path output) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(output.resolve(MetricsFile.NAME))) {
            ObjectNode node = (ObjectNode) new ObjectMapper().readTree(line);
            node.remove("tokens_per_s");
            lines.add(node);
        }
        return lines;
    }

    public static Set<String> checkpoints(Path output) throws IOException {
        Set<String> names = names(output);
        names.removeIf(name -> !name.contains("checkpoint"));
        return names;
    }

    public static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return new TreeSet<>(entries.map(path -> path.getFileName().toString()).toList());
        }
    }

    public static void assertMessage(String begin, Runnable action) {
        ConfigurationException e = assertThrows(ConfigurationException.class, action::run);
        assertTrue(e.getMessage().startsWith(begin), e.getMessage());
    }
}
