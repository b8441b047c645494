package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A tree-structured Parzen estimator (Algorithms for Hyper-Parameter Optimization, Bergstra et al. 2011): the best
 * 15 % of the trials have the density l(x), the others g(x), each a mean of bumps at its trials and of a flat one.
 * Of 24 values that are drawn from l the one with the largest l/g is tried; each option separately. The first trials
 * are by chance.
 */
final class ParzenSearch implements SearchStrategy {
    private static final int BY_CHANCE = 6;
    private static final int CANDIDATES = 24;
    private static final double GOOD = 0.15;
    private static final double NARROWEST = 0.05;

    @Override
    public Map<String, JsonNode> choose(SearchSpace space, int number, List<Trial> done, long seed) {
        if (done.size() < BY_CHANCE) {
            return RANDOM.choose(space, number, done, seed);
        }
        List<Trial> sorted = done.stream().sorted(Comparator.comparingDouble(trial -> trial.loss().orElseThrow()))
                .toList();
        int count = (int) Math.ceil(GOOD * sorted.size());
        SplittableRandom random = new SplittableRandom(seed * 1_000_003 + number);
        Map<String, JsonNode> values = new LinkedHashMap<>();
        space.domains().forEach((name, domain) -> {
            Density good = density(domain, name, sorted.subList(0, count));
            Density others = density(domain, name, sorted.subList(count, sorted.size()));
            double best = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < CANDIDATES; i++) {
                double place = good.draw(random);
                double ratio = Math.log(good.at(place)) - Math.log(others.at(place));
                if (ratio > best) {
                    best = ratio;
                    values.put(name, domain.at(place));
                }
            }
        });
        return values;
    }

    private static Density density(Domain domain, String name, List<Trial> trials) {
        List<Double> places = trials.stream().map(trial -> domain.place(trial.values().get(name))).sorted().toList();
        return domain instanceof Domain.Choices choices ? new Shares(choices.values().size(), places)
                : new Bumps(places);
    }

    @Override
    public String toString() {
        return "tpe";
    }

    /** A density over the places of a domain. */
    private interface Density {
        double at(double place);

        double draw(SplittableRandom random);
    }

    /** Of a list: each value as often as it was there, and once more. */
    private static final class Shares implements Density {
        private final double[] counts;

        Shares(int choices, List<Double> places) {
            counts = new double[choices];
            java.util.Arrays.fill(counts, 1);
            places.forEach(place -> counts[index(place)]++);
        }

        private int index(double place) {
            return (int) Math.min(counts.length - 1, place * counts.length);
        }

        @Override
        public double at(double place) {
            return counts[index(place)] / java.util.Arrays.stream(counts).sum();
        }

        @Override
        public double draw(SplittableRandom random) {
            double left = random.nextDouble() * java.util.Arrays.stream(counts).sum();
            int i = 0;
            while (i < counts.length - 1 && left >= counts[i]) {
                left -= counts[i++];
            }
            return (i + 0.5) / counts.length;
        }
    }

    /** Of a range: a bell at each place, as wide as the gap to its farther neighbour, and a flat part. */
    private static final class Bumps implements Density {
        private final List<Double> places;
        private final List<Double> widths = new ArrayList<>();

        Bumps(List<Double> places) {
            this.places = places;
            for (int i = 0; i < places.size(); i++) {
                double below = i == 0 ? places.get(0) : places.get(i) - places.get(i - 1);
                double above = (i == places.size() - 1 ? 1 : places.get(i + 1)) - places.get(i);
                widths.add(Math.max(NARROWEST, Math.min(1, Math.max(below, above))));
            }
        }

        @Override
        public double at(double place) {
            double sum = 1;
            for (int i = 0; i < places.size(); i++) {
                double z = (place - places.get(i)) / widths.get(i);
                sum += Math.exp(-z * z / 2) / (widths.get(i) * Math.sqrt(2 * Math.PI));
            }
            return sum / (places.size() + 1);
        }

        @Override
        public double draw(SplittableRandom random) {
            int i = random.nextInt(places.size() + 1);
            if (i == places.size()) {
                return random.nextDouble();
            }
            double place;
            do {
                place = places.get(i) + widths.get(i) * random.nextGaussian();
            } while (place < 0 || place >= 1);
            return place;
        }
    }
}
