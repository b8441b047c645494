package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Chooses what is tried next. What it chooses follows from the seed, the number and the trials before alone. */
@Internal(shared = true)
public interface SearchStrategy {
    /** All combinations of the values, the last option fastest. */
    SearchStrategy GRID = new SearchStrategy() {
        @Override
        public long most(SearchSpace space) {
            return space.domains().values().stream().mapToLong(domain -> domain.grid().size())
                    .reduce(1, Math::multiplyExact);
        }

        @Override
        public Map<String, JsonNode> choose(SearchSpace space, int number, List<Trial> done, long seed) {
            Map<String, JsonNode> values = new LinkedHashMap<>();
            List<String> names = new ArrayList<>(space.domains().keySet());
            long rest = number;
            for (int i = names.size() - 1; i >= 0; i--) {
                List<JsonNode> grid = space.domains().get(names.get(i)).grid();
                values.put(names.get(i), grid.get((int) (rest % grid.size())));
                rest /= grid.size();
            }
            Map<String, JsonNode> inOrder = new LinkedHashMap<>();
            names.forEach(name -> inOrder.put(name, values.get(name)));
            return inOrder;
        }

        @Override
        public String toString() {
            return "grid";
        }
    };

    /** Values by chance, each option separately. */
    SearchStrategy RANDOM = new SearchStrategy() {
        @Override
        public Map<String, JsonNode> choose(SearchSpace space, int number, List<Trial> done, long seed) {
            SplittableRandom random = new SplittableRandom(seed * 1_000_003 + number);
            Map<String, JsonNode> values = new LinkedHashMap<>();
            space.domains().forEach((name, domain) -> values.put(name, domain.at(random.nextDouble())));
            return values;
        }

        @Override
        public String toString() {
            return "random";
        }
    };

    /** A tree of Parzen estimators, which looks where good trials lie; see {@link ParzenSearch}. */
    SearchStrategy TPE = new ParzenSearch();

    /** The most trials that are different; {@link Long#MAX_VALUE} if there is a range. */
    default long most(SearchSpace space) {
        return space.domains().values().stream().allMatch(domain -> domain instanceof Domain.Choices)
                ? GRID.most(space) : Long.MAX_VALUE;
    }

    /**
     * The values of a trial.
     *
     * @param number number of the trial, from 0
     * @param done the trials that have a loss
     */
    Map<String, JsonNode> choose(SearchSpace space, int number, List<Trial> done, long seed);

    /**
     * The strategy of a name: {@code grid}, {@code random}, {@code tpe}.
     *
     * @throws ConfigurationException when there is none
     */
    static SearchStrategy named(String name) {
        for (SearchStrategy strategy : List.of(GRID, RANDOM, TPE)) {
            if (strategy.toString().equals(name)) {
                return strategy;
            }
        }
        List<String> names = List.of("grid", "random", "tpe");
        throw new ConfigurationException("unknown strategy '" + name + "'; " + SimilarNames.sentence(name, names));
    }
}
