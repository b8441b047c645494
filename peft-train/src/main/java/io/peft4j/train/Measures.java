package io.peft4j.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.peft4j.core.Internal;
import io.peft4j.train.objective.SampledAnswer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Means of what an objective measures besides its loss, the lowest one where it is computed in several ways, and a few
 * answers of the model. As JSON, which tells them to other workers, they have no answers.
 */
@Internal
public final class Measures {
    private static final int SHOWN = 4;

    private record Sums(double[] values, double count) {
        Sums and(double[] more, double counted) {
            double[] both = values.clone();
            Arrays.setAll(both, i -> both[i] + more[i]);
            return new Sums(both, count + counted);
        }
    }

    @JsonProperty
    private final Map<String, Sums> sums = new TreeMap<>();
    @JsonProperty
    private final Map<Integer, RowVisits.Visit> visits = new TreeMap<>();
    private final List<SampledAnswer> answers = new ArrayList<>();

    /** Takes the sums of values of a measure, for each way to compute it, and their number. */
    public void add(String name, double[] values, double count) {
        sums.merge(name, new Sums(values, count), (all, more) -> all.and(values, count));
    }

    /** Takes what was said of the example at a place; at a negative one it does not count. */
    public void visited(int place, RowVisits.Visit visit) {
        if (place >= 0) {
            visits.put(place, visit);
        }
    }

    /** What was said of examples, by their places ({@link RowVisits#place}). */
    public Map<Integer, RowVisits.Visit> visits() {
        return visits;
    }

    /** Keeps an answer of the model, of the first few. */
    public void show(SampledAnswer answer) {
        if (answers.size() < SHOWN) {
            answers.add(answer);
        }
    }

    /** The first answers of the model, where it gave some. */
    public List<SampledAnswer> answers() {
        return List.copyOf(answers);
    }

    /** Adds what another worker has measured. */
    public void add(Measures other) {
        other.sums.forEach((name, more) -> add(name, more.values(), more.count()));
        visits.putAll(other.visits);
    }

    /** The means, by name; what has no value is not there. */
    public Map<String, Double> means() {
        Map<String, Double> means = new TreeMap<>();
        sums.forEach((name, all) -> {
            if (all.count() > 0) {
                means.put(name, Arrays.stream(all.values()).min().orElseThrow() / all.count());
            }
        });
        return Collections.unmodifiableMap(means);
    }
}
