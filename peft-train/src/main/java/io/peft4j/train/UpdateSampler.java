package io.peft4j.train;

import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.pack.BatchPlan;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which batches an update sees: they depend on its number and the options alone. Updates count from 0; each takes as
 * many batches as gradients are accumulated over, the last one of an epoch what is left. Of examples for several
 * objectives ({@link EncodedExample#part}) each update takes as many batches of each; an epoch is one of the first,
 * and the others start over whenever they are through.
 */
final class UpdateSampler {
    private EncodedExamples examples;
    private final TrainingOptions options;
    private final List<Part> parts;
    private final int accumulated;
    /** Examples of the first part that the first updates of an epoch see, by the number of these updates. */
    private long[] seen = new long[0];
    private long epochSeen = -1;

    /** @param options complete ones */
    public UpdateSampler(EncodedExamples examples, TrainingOptions options) {
        this.examples = examples;
        this.options = options;
        this.accumulated = options.gradientAccumulation().getAsInt();
        Map<Integer, List<Integer>> numbers = new TreeMap<>();
        for (int i = 0; i < examples.examples().size(); i++) {
            numbers.computeIfAbsent(examples.examples().get(i).part(), part -> new ArrayList<>()).add(i);
        }
        List<TokenSequence> sequences = examples.examples().stream().map(EncodedExample::whole).toList();
        this.parts = numbers.values().stream().map(some -> new Part(some.stream().mapToInt(i -> i).toArray(),
                sequences, packOptions(options))).toList();
    }

    private static PackOptions packOptions(TrainingOptions options) {
        PackOptions limit = options.packTokens() == 0 ? PackOptions.ofSequences(options.batchSize().getAsInt())
                : PackOptions.ofTokens(options.packTokens());
        return limit.strategy(options.packing()).shuffle(options.shuffle()).sharePrefixes(options.sharePrefixes())
                .seed(options.seed());
    }

    /** The examples of an objective. */
    private final class Part {
        private final int[] numbers;
        private final List<TokenSequence> sequences;
        private final PackOptions packing;
        private int epoch;
        private List<int[]> batches;

        Part(int[] numbers, List<TokenSequence> all, PackOptions packing) {
            this.numbers = numbers;
            this.sequences = Arrays.stream(numbers).mapToObj(all::get).toList();
            this.packing = packing;
            this.batches = BatchPlan.of(sequences, packing, 0);
        }

        int stepsPerEpoch() {
            return batches.size() / accumulated + (batches.size() % accumulated == 0 ? 0 : 1);
        }

        List<List<EncodedExample>> batches(long step) {
            int first = (int) (step % stepsPerEpoch() * accumulated);
            int wanted = (int) (step / stepsPerEpoch());
            if (wanted != epoch) {
                epoch = wanted;
                batches = BatchPlan.of(sequences, packing, epoch);
            }
            return batches.stream().skip(first).limit(accumulated).map(batch -> Arrays.stream(batch)
                    .mapToObj(n -> examples.examples().get(numbers[n])).toList()).toList();
        }

        /** Tokens of the updates before one. */
        long tokensTo(long step) {
            long tokens = step / stepsPerEpoch()
                    * Arrays.stream(numbers).mapToLong(n -> examples.examples().get(n).tokens()).sum();
            for (long done = step - step % stepsPerEpoch(); done < step; done++) {
                tokens += batches(done).stream().flatMap(List::stream).mapToLong(EncodedExample::tokens).sum();
            }
            return tokens;
        }
    }

    /** From now on the same sequences with more about them. */
    public void replace(EncodedExamples same) {
        examples = same;
    }

    /** Updates an epoch. All epochs have as many batches: their number follows from the lengths alone. */
    public int stepsPerEpoch() {
        return parts.get(0).stepsPerEpoch();
    }

    /** Updates in all. */
    public long totalSteps() {
        return options.maxSteps() > 0 ? options.maxSteps() : (long) stepsPerEpoch() * options.epochs().getAsInt();
    }

    /** The batches of an update. */
    public List<List<EncodedExample>> batches(long step) {
        return parts.stream().flatMap(part -> part.batches(step).stream()).toList();
    }

    /** The batches in which the examples come for the first time. */
    public List<List<EncodedExample>> firstBatches() {
        List<List<EncodedExample>> batches = new ArrayList<>();
        for (Part part : parts) {
            for (long step = 0; step < Math.min(part.stepsPerEpoch(), totalSteps()); step++) {
                batches.addAll(part.batches(step));
            }
        }
        return batches;
    }

    /** Epochs that so many updates make up. */
    public double epochs(long steps) {
        long whole = steps / stepsPerEpoch();
        int inEpoch = (int) (steps % stepsPerEpoch());
        return inEpoch == 0 ? whole : whole + (double) seen(whole)[inEpoch] / parts.get(0).numbers.length;
    }

    private long[] seen(long epoch) {
        if (epoch != epochSeen) {
            long[] sums = new long[stepsPerEpoch() + 1];
            for (int i = 0; i < stepsPerEpoch(); i++) {
                sums[i + 1] = sums[i] + parts.get(0).batches(epoch * stepsPerEpoch() + i).stream()
                        .mapToLong(List::size).sum();
            }
            seen = sums;
            epochSeen = epoch;
        }
        return seen;
    }

    /** Tokens of all updates from one on, before another. */
    public long tokens(long from, long to) {
        return tokensTo(to) - tokensTo(from);
    }

    private long tokensTo(long step) {
        return parts.stream().mapToLong(part -> part.tokensTo(step)).sum();
    }
}
