package io.peft4j.train.internal.pass;

import io.peft4j.train.objective.SampledAnswer;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Means of what an objective measures besides its loss, and a few answers of the model. */
public final class Measures {
    private static final int SHOWN = 4;

    private final Map<String, double[]> sums = new TreeMap<>();
    private final List<SampledAnswer> answers = new ArrayList<>();

    void add(String name, double sum, double count) {
        double[] both = sums.computeIfAbsent(name, key -> new double[2]);
        both[0] += sum;
        both[1] += count;
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
        other.sums.forEach((name, both) -> add(name, both[0], both[1]));
    }

    /** Writes them for other workers. */
    public void write(DataOutputStream out) throws IOException {
        out.writeInt(sums.size());
        for (Map.Entry<String, double[]> each : sums.entrySet()) {
            out.writeUTF(each.getKey());
            out.writeDouble(each.getValue()[0]);
            out.writeDouble(each.getValue()[1]);
        }
    }

    /** Reads what {@link #write} wrote. */
    public static Measures read(DataInputStream in) throws IOException {
        Measures measures = new Measures();
        for (int left = in.readInt(); left > 0; left--) {
            measures.add(in.readUTF(), in.readDouble(), in.readDouble());
        }
        return measures;
    }

    /** The means, by name; what has no value is not there. */
    public Map<String, Double> means() {
        Map<String, Double> means = new TreeMap<>();
        sums.forEach((name, both) -> {
            if (both[1] > 0) {
                means.put(name, both[0] / both[1]);
            }
        });
        return Collections.unmodifiableMap(means);
    }
}
