package io.peft4j.data.augment;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.example.Example;
import io.peft4j.data.pack.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Several data sets in one, in given shares. Against forgetting, a small share of general examples goes in as a guard:
 *
 * <pre>{@code
 * List<Example> mixed = new Mixture().add("handbook", handbook, 9).add("general", general, 1).seed(7).of(2000);
 * }</pre>
 *
 * <p>The share of a set is proportional to {@code weight^(1 / temperature)}, where the weight of a set that names none
 * is its size: temperature 1 draws in proportion, a large one draws all sets equally often. Within a set examples come
 * in shuffled rounds, so that none comes a second time before all have come once.
 */
@Internal(shared = true)
public final class Mixture {
    private final List<Source> sources = new ArrayList<>();
    private double temperature = 1;
    private long seed;

    private record Source(String name, List<? extends Example> examples, double weight) {
    }

    /**
     * How often a set is drawn.
     *
     * @param name its name
     * @param share its share of the mixture
     * @param drawn how many examples of it come into the mixture
     * @param rounds how often each of its examples comes on average
     */
    public record Share(String name, double share, int drawn, double rounds) {
    }

    /**
     * Adds a set with a weight.
     *
     * @throws ConfigurationException when it is empty or the weight is not above 0
     */
    public Mixture add(String name, List<? extends Example> examples, double weight) {
        Objects.requireNonNull(name, "name");
        if (examples.isEmpty() || !(weight > 0) || !Double.isFinite(weight)) {
            throw new ConfigurationException("the set " + name + " has " + examples.size() + " examples and the weight "
                    + weight + "; both must be above 0");
        }
        sources.add(new Source(name, List.copyOf(examples), weight));
        return this;
    }

    /** Adds a set whose weight is its size. */
    public Mixture add(String name, List<? extends Example> examples) {
        return add(name, examples, examples.size());
    }

    /**
     * How far small sets are drawn more often than in proportion; default 1: not.
     *
     * @throws ConfigurationException when it is not above 0
     */
    public Mixture temperature(double newTemperature) {
        if (!(newTemperature > 0)) {
            throw new ConfigurationException("the temperature is " + newTemperature + "; it must be above 0");
        }
        temperature = newTemperature;
        return this;
    }

    /** Seed of the order; default 0. */
    public Mixture seed(long newSeed) {
        seed = newSeed;
        return this;
    }

    /**
     * The shares of a mixture of so many examples; they are met exactly, up to rounding.
     *
     * @throws ConfigurationException when there is no set
     */
    public List<Share> shares(int size) {
        if (sources.isEmpty() || size < 1) {
            throw new ConfigurationException("a mixture needs at least one set and one example, got " + sources.size()
                    + " sets and size " + size);
        }
        double[] weights = sources.stream().mapToDouble(source -> Math.pow(source.weight(), 1 / temperature)).toArray();
        double sum = java.util.Arrays.stream(weights).sum();
        List<Share> shares = new ArrayList<>();
        double before = 0;
        for (int i = 0; i < weights.length; i++) {
            double share = weights[i] / sum;
            int drawn = (int) (Math.round((before + share) * size) - Math.round(before * size));
            before += share;
            shares.add(new Share(sources.get(i).name(), share, drawn,
                    (double) drawn / sources.get(i).examples().size()));
        }
        return shares;
    }

    /**
     * The mixture, shuffled.
     *
     * @param size number of examples
     */
    public List<Example> of(int size) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Example> mixed = new ArrayList<>();
        List<Share> shares = shares(size);
        for (int i = 0; i < shares.size(); i++) {
            List<? extends Example> examples = sources.get(i).examples();
            int[] round = new int[0];
            for (int n = 0; n < shares.get(i).drawn(); n++) {
                int at = n % examples.size();
                round = at == 0 ? Seeds.shuffled(random, IntStream.range(0, examples.size()).toArray()) : round;
                mixed.add(examples.get(round[at]));
            }
        }
        int[] order = Seeds.shuffled(random, IntStream.range(0, mixed.size()).toArray());
        return IntStream.of(order).mapToObj(mixed::get).toList();
    }

    /** All examples of all sets once, and of a guard set so many that they make up a share of the whole. */
    public static List<Example> withGuard(List<? extends Example> examples, List<? extends Example> guard, double share,
            long seed) {
        if (!(share > 0 && share < 1)) {
            throw new ConfigurationException("the share of the guard set is " + share
                    + "; it must be above 0 and below 1");
        }
        int size = (int) Math.round(examples.size() / (1 - share));
        return new Mixture().add("examples", examples, 1 - share).add("guard", guard, share).seed(seed)
                .of(Math.max(size, examples.size() + 1));
    }
}
