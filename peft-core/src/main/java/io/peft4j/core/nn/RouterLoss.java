package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What routers add to the loss of a training so that all experts are used (<a
 * href="https://arxiv.org/abs/2101.03961">2101.03961</a>, equations 4 to 6), over all layers together as Hugging Face
 * Transformers computes it: {@code c * E * sum over e of f_e * P_e}. f_e is how often expert e was chosen, P_e the sum
 * of its probabilities, both divided by the number R of tokens times layers. With respect to the scores s of a token,
 * whose softmax is p: {@code dL/ds_e = c * E / R * p_e * (f_e - sum over j of f_j * p_j)}; f has no gradient.
 *
 * <p>Made for one pass. Groups of rows that run through different adapters belong to different trainings: each has a
 * loss of its own.
 */
@Internal(shared = true)
public final class RouterLoss {
    private final double coefficient;
    /** By layer: what runs twice is counted once. */
    private final Map<Object, Map<Integer, Share>> layers = new IdentityHashMap<>();
    private final Map<Integer, Double> weights = new TreeMap<>();

    /** What one layer, or all of them, has seen of a group. */
    private record Share(double[] chosen, double[] probabilities, long rows) {
        Share plus(Share other) {
            return new Share(sum(chosen, other.chosen), sum(probabilities, other.probabilities), rows + other.rows);
        }

        private static double[] sum(double[] a, double[] b) {
            return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
        }
    }

    /**
     * A loss.
     *
     * @param coefficient c
     */
    public RouterLoss(double coefficient) {
        this.coefficient = coefficient;
    }

    /**
     * Takes what a router has chosen.
     *
     * @param layer the layer of experts
     * @param scores FLOAT [N, E]
     * @param batch the rows
     * @return the scores, whose gradient gets that of this loss
     */
    public Variable watch(Tape tape, Object layer, Variable scores, Routing routing, PackedBatch batch) {
        Map<Integer, Share> shares = new TreeMap<>();
        float[] probabilities = softmax(scores.value());
        batch.rowsOfGroups().forEach((group, rows) -> shares.put(group, share(probabilities, scores.columns(), routing,
                rows)));
        layers.put(layer, shares);
        INDArray copy = tape.allocateFloat(scores.rows(), scores.columns());
        tape.kernels().scale(scores.value(), 1f, copy, false);
        return tape.record(copy, (out, dy) -> scores.addGradient((dx, accumulate) -> {
            tape.kernels().scale(dy, 1f, dx, accumulate);
            addGradient(scores.value(), dx, batch);
        }), List.of(scores));
    }

    private static Share share(float[] probabilities, int experts, Routing routing, int[] rows) {
        Share share = new Share(new double[experts], new double[experts], rows.length);
        int[] chosen = routing.chosen();
        for (int row : rows) {
            for (int place = row * routing.perToken(); place < (row + 1) * routing.perToken(); place++) {
                share.chosen[chosen[place]]++;
            }
            for (int e = 0; e < experts; e++) {
                share.probabilities[e] += probabilities[row * experts + e];
            }
        }
        return share;
    }

    private static float[] softmax(INDArray scores) {
        int experts = Arrays.columns(scores);
        float[] values = Arrays.toFloats(scores);
        for (int row = 0; row < values.length; row += experts) {
            float largest = Float.NEGATIVE_INFINITY;
            for (int i = row; i < row + experts; i++) {
                largest = Math.max(largest, values[i]);
            }
            double sum = 0;
            for (int i = row; i < row + experts; i++) {
                values[i] = (float) Math.exp(values[i] - largest);
                sum += values[i];
            }
            for (int i = row; i < row + experts; i++) {
                values[i] /= (float) sum;
            }
        }
        return values;
    }

    private Map<Integer, Share> total() {
        Map<Integer, Share> total = new TreeMap<>();
        layers.values().forEach(shares -> shares.forEach((group, share) -> total.merge(group, share, Share::plus)));
        return total;
    }

    /** The loss of each group whose rows ran through a router; asked for when all layers have run. */
    public Map<Integer, Double> byGroup() {
        Map<Integer, Double> losses = new TreeMap<>();
        total().forEach((group, share) -> {
            double sum = 0;
            for (int e = 0; e < share.chosen.length; e++) {
                sum += share.chosen[e] * share.probabilities[e];
            }
            losses.put(group, coefficient * share.chosen.length * sum / share.rows / share.rows);
        });
        return losses;
    }

    /**
     * Says how much the loss of a group counts in what is minimized: before gradients run, else it does not count.
     *
     * @param weight factor on the loss
     */
    public void weigh(int group, double weight) {
        weights.merge(group, weight, Double::sum);
    }

    private void addGradient(INDArray scores, INDArray gradient, PackedBatch batch) {
        int experts = Arrays.columns(scores);
        float[] p = softmax(scores);
        float[] sums = Arrays.toFloats(gradient);
        Map<Integer, Share> total = total();
        batch.rowsOfGroups().forEach((group, rows) -> {
            Share share = total.get(group);
            double factor = weights.getOrDefault(group, 0.0) * coefficient * experts / share.rows / share.rows;
            for (int row : rows) {
                double mean = 0;
                for (int e = 0; e < experts; e++) {
                    mean += share.chosen[e] * p[row * experts + e];
                }
                for (int e = 0; e < experts; e++) {
                    int i = row * experts + e;
                    sums[i] += (float) (factor * p[i] * (share.chosen[e] - mean));
                }
            }
        });
        Arrays.write(gradient, 0, sums, 0, sums.length);
    }
}
