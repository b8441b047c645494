package io.peft4j.train.objective;

import io.peft4j.core.nn.PackedBatch;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The loss of groups of answers, from the likelihoods of their tokens. Each group is used for one update with the model
 * that it was drawn from, so that the ratio of its probabilities is 1 and nothing is clipped.
 *
 * @param options the loss
 * @param passes takes what is measured
 * @param sampled whether the answers are the model's own, so that their likelihoods estimate its entropy
 */
record GroupLoss(GroupOptions options, Passes passes, boolean sampled) {
    private static final double LEAST_DEVIATION = 1e-4;

    /** The answers of a group: those of its tokens are {@code from[i]} to {@code from[i + 1]}. */
    private record Answers(float[] targets, int[] from, float[] nll, float[] gradient) {
        int count() {
            return from.length - 1;
        }

        double reward(int answer) {
            return targets[answer];
        }

        boolean isCut(int answer) {
            return targets[count() + answer] != 0;
        }

        /** The log-probability of a token by the reference. */
        double reference(int token) {
            return targets[2 * count() + token - from[0]];
        }

        int tokens(int answer) {
            return from[answer + 1] - from[answer];
        }
    }

    /** The sum of the losses of groups, with its derivatives by the negative log-likelihoods. */
    double of(List<EncodedExample> groups, PackedBatch.Targets targets, float[] nll, float[] gradient) {
        int[] sequences = targets.sequences();
        double sum = 0;
        int at = 0;
        int sequence = 0;
        for (EncodedExample group : groups) {
            int[] from = new int[group.sequences().size() + 1];
            from[0] = at;
            for (int answer = 1; answer < from.length; answer++, sequence++) {
                while (at < sequences.length && sequences[at] == sequence) {
                    at++;
                }
                from[answer] = at;
            }
            sum += of(new Answers(group.targets(), from, nll, gradient));
        }
        return sum;
    }

    private double of(Answers group) {
        int count = group.count();
        double[] rewards = new double[count];
        double[] divergences = new double[count];
        long tokens = 0;
        long learned = 0;
        int cut = 0;
        for (int i = 0; i < count; i++) {
            rewards[i] = group.reward(i);
            divergences[i] = options.beta() == 0 ? 0 : divergence(group, i);
            tokens += group.tokens(i);
            learned += isMasked(group, i) ? 0 : group.tokens(i);
            cut += group.isCut(i) ? 1 : 0;
        }
        boolean whole = options.loss() == GroupOptions.Loss.RLOO;
        double[] held = new double[count];
        for (int i = 0; i < count; i++) {
            held[i] = rewards[i] - (whole ? options.beta() * divergences[i] : 0);
        }
        measure(rewards, held);
        passes.measure("completions/mean_length", tokens, count);
        passes.measure("completions/clipped_ratio", cut, count);
        if (options.beta() > 0) {
            passes.measure("kl", DoubleStream.of(divergences).sum(), learned);
        }
        if (sampled) {
            double nll = IntStream.range(group.from()[0], group.from()[count]).mapToDouble(i -> group.nll()[i]).sum();
            passes.measure("entropy", nll, tokens);
        }
        double[] advantages = whole ? leaveOneOut(held) : overMean(held);
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += whole ? whole(group, i, advantages[i]) : byToken(group, i, advantages[i]);
        }
        return sum;
    }

    private boolean isMasked(Answers group, int answer) {
        return options.masksCut() && group.isCut(answer);
    }

    /** The summed divergence of an answer's tokens: of RLOO the log-ratio, of others its estimate that is above 0. */
    private double divergence(Answers group, int answer) {
        double sum = 0;
        for (int i = group.from()[answer]; i < group.from()[answer + 1] && !isMasked(group, answer); i++) {
            double ratio = group.reference(i) + group.nll()[i];
            sum += options.loss() == GroupOptions.Loss.RLOO ? -ratio : Math.exp(ratio) - ratio - 1;
        }
        return sum;
    }

    private double byToken(Answers group, int answer, double advantage) {
        if (isMasked(group, answer)) {
            return 0;
        }
        double scale = options.loss() == GroupOptions.Loss.GRPO ? 1.0 / group.tokens(answer) : 1;
        double sum = 0;
        for (int i = group.from()[answer]; i < group.from()[answer + 1]; i++) {
            double ratio = options.beta() == 0 ? 0 : group.reference(i) + group.nll()[i];
            sum += scale * (-advantage + options.beta() * (Math.exp(ratio) - ratio - 1));
            // The divergence counts times the ratio of probabilities, which is 1 and has a derivative.
            group.gradient()[i] = (float) (scale * (advantage + options.beta() * ratio));
        }
        return sum;
    }

    private double whole(Answers group, int answer, double advantage) {
        for (int i = group.from()[answer]; i < group.from()[answer + 1] && !isMasked(group, answer); i++) {
            group.gradient()[i] = (float) advantage;
        }
        return -advantage;
    }

    /** Rewards less their mean, over their deviation where that is asked for; 0 without a reward. */
    private double[] overMean(double... rewards) {
        double mean = mean(rewards);
        double divisor = options.scaleRewards() ? deviation(rewards) + LEAST_DEVIATION : 1;
        double[] advantages = new double[rewards.length];
        for (int i = 0; i < rewards.length; i++) {
            advantages[i] = Double.isNaN(rewards[i]) ? 0 : (rewards[i] - mean) / divisor;
        }
        return advantages;
    }

    /** Rewards less the mean of the others; 0 for a single one. */
    private static double[] leaveOneOut(double... rewards) {
        int known = known(rewards);
        double sum = mean(rewards) * known;
        double[] advantages = new double[rewards.length];
        for (int i = 0; i < rewards.length; i++) {
            advantages[i] = Double.isNaN(rewards[i]) || known < 2 ? 0 : rewards[i] - (sum - rewards[i]) / (known - 1);
        }
        return advantages;
    }

    /** Measures rewards, and whether what is learned from them differs. */
    private void measure(double[] rewards, double... held) {
        int known = known(rewards);
        if (known > 0) {
            passes.measure("reward", mean(rewards) * known, known);
            passes.measure("reward_std", deviation(rewards), 1);
        }
        passes.measure("frac_reward_zero_std", deviation(held) < 1e-8 ? 1 : 0, 1);
    }

    private static int known(double... values) {
        return (int) DoubleStream.of(values).filter(value -> !Double.isNaN(value)).count();
    }

    private static double mean(double... values) {
        return DoubleStream.of(values).filter(value -> !Double.isNaN(value)).average().orElse(0);
    }

    /** The standard deviation without bias; 0 of fewer than two. */
    private static double deviation(double... values) {
        double mean = mean(values);
        double squares = DoubleStream.of(values).filter(value -> !Double.isNaN(value))
                .map(value -> (value - mean) * (value - mean)).sum();
        return known(values) < 2 ? 0 : Math.sqrt(squares / (known(values) - 1));
    }
}
