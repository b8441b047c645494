package io.peft4j.eval;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.measure.LinearWork;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.measure.SpeedLimits;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationListener;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * Measures how fast a model answers: greedily, through the same call as every application.
 *
 * <pre>{@code
 * GenerationMeasurement m = new GenerationBenchmark(model, prompts, GenerationOptions.defaults(), 2, 3).run();
 * }</pre>
 */
@Internal(shared = true)
public final class GenerationBenchmark {
    /** Tokens of a warm-up answer, and answers that the first token's latency is the median of. */
    private static final int FEW = 5;

    private final LanguageModel model;
    private final List<Prompt> prompts;
    private final GenerationOptions options;
    private final int threads;
    private final int runs;

    /**
     * A measurement.
     *
     * @param model what answers
     * @param prompts what it is asked
     * @param options batch size and length of the answers
     * @param threads threads that read memory when its speed is measured; those that the model runs with
     * @param runs how often all prompts are answered, at least 1; the fastest counts
     * @throws ConfigurationException when there is no prompt, or a number is out of range
     */
    public GenerationBenchmark(LanguageModel model, List<Prompt> prompts, GenerationOptions options, int threads,
            int runs) {
        this.model = Objects.requireNonNull(model, "model");
        this.prompts = List.copyOf(prompts);
        this.options = Objects.requireNonNull(options, "options");
        this.threads = threads;
        this.runs = runs;
        if (this.prompts.isEmpty() || threads < 1 || runs < 1) {
            throw new ConfigurationException("a measurement needs prompts, threads and runs, at least 1 each; got "
                    + this.prompts.size() + " prompts, " + threads + " threads and " + runs + " runs");
        }
    }

    /**
     * Prompts of random tokens.
     *
     * @param model whose vocabulary is drawn from
     * @param count number of prompts
     * @param length tokens of each, at least 1
     * @param seed seed of the tokens
     * @throws ConfigurationException when the length is below 1
     */
    public static List<Prompt> randomPrompts(LanguageModel model, int count, int length, long seed) {
        if (length < 1) {
            throw new ConfigurationException("a prompt of " + length + " tokens; it must have at least 1");
        }
        SplittableRandom random = new SplittableRandom(seed);
        int vocabulary = model.network().description().vocabularySize();
        List<Prompt> drawn = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            drawn.add(Prompt.tokens(random.ints(length, 0, vocabulary).toArray()));
        }
        return drawn;
    }

    /**
     * Answers and measures. Nothing else should run on the machine meanwhile.
     *
     * @throws io.peft4j.core.error.PeftException as {@link LanguageModel#generate(List, GenerationOptions)}
     */
    public GenerationMeasurement run() {
        List<Prompt> one = prompts.subList(0, 1);
        List<Prompt> firstBatch = prompts.subList(0, Math.min(prompts.size(), options.batchSize()));
        model.generate(firstBatch, options.withMaxNewTokens(Math.min(FEW, options.maxNewTokens())));
        double[] latencies = new double[FEW];
        for (int i = 0; i < FEW; i++) {
            latencies[i] = time(one, options.withMaxNewTokens(1)).seconds;
        }
        Arrays.sort(latencies);
        Timing best = null;
        for (int i = 0; i < runs; i++) {
            Timing timing = time(prompts, options);
            best = best == null || timing.seconds < best.seconds ? timing : best;
        }
        OptionalLong peak = ProcessUsage.peakResidentBytes();
        OptionalDouble steps = prompts.size() > options.batchSize() ? OptionalDouble.empty() : best.stepsPerSecond();
        double memory = SpeedLimits.memoryGigabytesPerSecond(threads);
        long weights = LinearWork.of(model.network()).bytes();
        return new GenerationMeasurement(prompts.size(), best.newTokens(), best.newTokens() / best.seconds,
                best.seconds, latencies[FEW / 2], steps, weights, memory,
                steps.isEmpty() ? steps : OptionalDouble.of(steps.getAsDouble() * weights / 1e9 / memory), peak);
    }

    private Timing time(List<Prompt> asked, GenerationOptions how) {
        FirstToken first = new FirstToken();
        long begin = System.nanoTime();
        List<Completion> answers = model.generate(asked, how.withListener(first));
        long end = System.nanoTime();
        return new Timing(answers, (end - begin) / 1e9, (end - first.nanos) / 1e9);
    }

    private record Timing(List<Completion> answers, double seconds, double secondsAfterFirst) {
        long newTokens() {
            return answers.stream().mapToLong(answer -> answer.ids().length).sum();
        }

        /** Steps of one token for all running sequences, in one batch; its first tokens come with the prompts. */
        OptionalDouble stepsPerSecond() {
            int steps = answers.stream().mapToInt(answer -> answer.ids().length).max().orElse(1) - 1;
            return steps == 0 ? OptionalDouble.empty() : OptionalDouble.of(steps / secondsAfterFirst);
        }
    }

    /** Notes when the first token of the whole call came. */
    private static final class FirstToken implements GenerationListener {
        private long nanos;

        @Override
        public boolean onText(int prompt, String piece) {
            nanos = nanos == 0 ? System.nanoTime() : nanos;
            return true;
        }
    }

    /**
     * How fast a model answered.
     *
     * @param prompts number of prompts
     * @param newTokens tokens of all answers
     * @param tokensPerSecond tokens of all answers divided by {@code seconds}
     * @param seconds from the call to its return, computing the prompts included
     * @param firstTokenSeconds how long the first prompt, alone, waits for its first token
     * @param stepsPerSecond steps of decoding a second, each one token for every answer that still runs, after the
     * prompts; empty where the prompts did not fit in one batch
     * @param weightBytes bytes of the weights that a step reads
     * @param memoryGigabytesPerSecond limit of the machine: the rate at which memory is read
     * @param shareOfBandwidth {@code stepsPerSecond * weightBytes} as a share of that limit
     * @param peakResidentBytes the most memory the process has had resident; empty where the system does not tell
     */
    public record GenerationMeasurement(int prompts, long newTokens, double tokensPerSecond, double seconds,
            double firstTokenSeconds, OptionalDouble stepsPerSecond, long weightBytes, double memoryGigabytesPerSecond,
            OptionalDouble shareOfBandwidth, OptionalLong peakResidentBytes) {
    }
}
