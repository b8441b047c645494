package io.peft4j.train;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.measure.LinearWork;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.measure.SpeedLimits;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.Masking;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * Measures how fast a model trains: runs the {@link Trainer} itself, batch after batch in the order of the examples,
 * and looks at the clock between its updates.
 *
 * <pre>{@code
 * TrainingMeasurement m = new TrainingBenchmark(model, TrainingBenchmark.randomExamples(model, 44, 128, 0), 4, 3,
 * 8).run(); }</pre>
 */
@Internal(shared = true)
public final class TrainingBenchmark {
    private static final double LEARNING_RATE = 1e-4;

    private final PeftModel model;
    private final List<TokenSequence> examples;
    private final int batchSize;
    private final int warmupSteps;
    private final int steps;
    private boolean recompute;

    /**
     * A measurement.
     *
     * @param model its active adapters are trained, so its values change
     * @param examples what is trained on, from the first on and round again where there are not enough
     * @param batchSize examples an update
     * @param warmupSteps updates before the measured ones, at least 1, while the JVM compiles and memory is first
     * touched
     * @param steps updates that are measured, at least 1
     * @throws ConfigurationException when a number is out of range or there is no example
     */
    public TrainingBenchmark(PeftModel model, List<TokenSequence> examples, int batchSize, int warmupSteps, int steps) {
        this.model = Objects.requireNonNull(model, "model");
        this.examples = List.copyOf(examples);
        this.batchSize = batchSize;
        this.warmupSteps = warmupSteps;
        this.steps = steps;
        if (this.examples.isEmpty() || batchSize < 1 || warmupSteps < 1 || steps < 1) {
            throw new ConfigurationException("a measurement needs examples, a batch size, warm-up steps and steps, at "
                    + "least 1 each; got " + this.examples.size() + " examples, batch size " + batchSize + ", "
                    + warmupSteps + " warm-up steps and " + steps + " steps");
        }
    }

    /**
     * Sequences of random tokens, all of them supervised: the work of training without any data.
     *
     * @param model whose vocabulary is drawn from
     * @param count number of sequences
     * @param length tokens of each, at least 2
     * @param seed seed of the tokens
     * @throws ConfigurationException when a sequence would be too short to predict anything, or too long for the model
     */
    public static List<TokenSequence> randomExamples(LanguageModel model, int count, int length, long seed) {
        int limit = model.network().description().maxPositions();
        if (length < 2 || length > limit) {
            throw new ConfigurationException("a sequence of " + length + " tokens; it must have at least 2, at most "
                    + "the " + limit + " of " + model.network().description().name());
        }
        SplittableRandom random = new SplittableRandom(seed);
        int vocabulary = model.network().description().vocabularySize();
        int task = TaskIds.any(model);
        List<TokenSequence> sequences = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sequences.add(TokenSequence.allSupervised(random.ints(length, 0, vocabulary).toArray()).inTask(task));
        }
        return sequences;
    }

    /**
     * Conversations as the trainer encodes them; those that are longer than the model's limit are left out.
     *
     * @param model whose tokenizer and chat template are used
     * @param chats the conversations
     * @throws io.peft4j.core.error.PeftException when the model has no chat template or an example cannot be encoded
     */
    public static List<TokenSequence> chatExamples(LanguageModel model, ChatDataset chats) {
        return ChatEncoder.of(model, Masking.ASSISTANT).encode(chats, model.network().description().maxPositions())
                .sequences();
    }

    /** As {@link TrainerBuilder#recompute}. */
    public TrainingBenchmark recompute(boolean value) {
        recompute = value;
        return this;
    }

    /**
     * Trains and measures. Nothing else should run on the machine meanwhile.
     *
     * @throws io.peft4j.core.error.PeftException as {@link Trainer#train(List)}
     */
    public TrainingMeasurement run() {
        int stepsPerEpoch = (examples.size() + batchSize - 1) / batchSize;
        Clock clock = new Clock(warmupSteps + steps);
        Trainer.builder(model).batchSize(batchSize).shuffle(false).learningRate(LEARNING_RATE)
                .schedule(LearningRateSchedule.CONSTANT).epochs((warmupSteps + steps) / stepsPerEpoch + 1)
                .recompute(recompute)
                .listener(clock).cancellation(clock.cancellation).build().train(examples);
        // Before the limit is measured, which needs memory of its own.
        OptionalLong peak = ProcessUsage.peakResidentBytes();
        double gflops = model.engine()
                .compute(kernels -> SpeedLimits.matmulGflops(kernels, model.network().description().activationType()));
        return result(clock, stepsPerEpoch, peak, gflops);
    }

    private TrainingMeasurement result(Clock clock, int stepsPerEpoch, OptionalLong peak, double gflops) {
        double[] stepSeconds = new double[steps];
        long tokens = 0;
        long sequences = 0;
        double flops = 0;
        LinearWork work = LinearWork.of(model.network());
        for (int i = 0; i < steps; i++) {
            int step = warmupSteps + i;
            stepSeconds[i] = (clock.ends[step] - clock.ends[step - 1]) / 1e9;
            int from = step % stepsPerEpoch * batchSize;
            List<TokenSequence> batch = examples.subList(from, Math.min(examples.size(), from + batchSize));
            tokens += batch.stream().mapToLong(TokenSequence::length).sum();
            sequences += batch.size();
            PackedBatch packed = PackedBatch.sharingPrefixes(batch);
            flops += work.trainingFlops(packed.rows(), packed.targets().count());
        }
        double seconds = Arrays.stream(stepSeconds).sum();
        return new TrainingMeasurement(tokens / seconds, sequences / seconds, TrainingMeasurement.median(stepSeconds),
                clock.firstStepSeconds, clock.allocatedBytes(warmupSteps, steps), peak, clock.loss, gflops,
                flops / seconds / 1e9 / gflops);
    }

    /** Notes when each update ended. */
    private static final class Clock implements TrainingListener {
        private final Cancellation cancellation = new Cancellation();
        private final long[] ends;
        private final long[] allocated;
        private double firstStepSeconds;
        private double loss;
        private int done;

        Clock(int count) {
            ends = new long[count];
            allocated = new long[count];
        }

        @Override
        public void onStep(StepMetrics metrics) {
            if (done == 0) {
                firstStepSeconds = (System.currentTimeMillis()
                        - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3;
            }
            loss = metrics.trainLoss();
            allocated[done] = ProcessUsage.allocatedHeapBytes().orElse(-1);
            ends[done++] = System.nanoTime();
            if (done == ends.length) {
                cancellation.cancel();
            }
        }

        /** The mean of {@code steps} updates after the first {@code from}. */
        OptionalLong allocatedBytes(int from, int steps) {
            return allocated[from] < 0 ? OptionalLong.empty()
                    : OptionalLong.of((allocated[from + steps - 1] - allocated[from - 1]) / steps);
        }
    }
}
