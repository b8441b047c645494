package io.peft4j.models.decoder.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How DeepSeek V3 chooses and weights experts (<a href="https://arxiv.org/abs/2412.19437">2412.19437</a>): by the sigmoid
 * of their score and a correction that is not trained, among the experts of the best groups.
 */
final class GroupedRouting {
    /** Keeps a sum from being 0. */
    private static final double SMALLEST = 1e-20;

    private GroupedRouting() {
    }

    /** What experts are chosen by [N, E]: those of groups that are left out are behind all others. */
    static INDArray choice(Tape tape, INDArray scores, ExpertsPlan.Groups groups, INDArray correction) {
        int experts = Arrays.columns(scores);
        int size = experts / groups.count();
        float[] values = Arrays.toFloats(scores);
        float[] added = Arrays.toFloats(correction);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (1 / (1 + Math.exp(-values[i]))) + added[i % experts];
        }
        for (int row = 0; row < values.length; row += experts) {
            double[] sums = new double[groups.count()];
            for (int g = 0; g < sums.length; g++) {
                float[] own = java.util.Arrays.copyOfRange(values, row + g * size, row + (g + 1) * size);
                java.util.Arrays.sort(own);
                sums[g] = (double) own[size - 1] + own[size - 2];
            }
            for (int left = groups.count(); left > groups.chosen(); left--) {
                int worst = 0;
                for (int g = 1; g < sums.length; g++) {
                    worst = sums[g] < sums[worst] ? g : worst;
                }
                sums[worst] = Double.POSITIVE_INFINITY;
                java.util.Arrays.fill(values, row + worst * size, row + (worst + 1) * size, Float.NEGATIVE_INFINITY);
            }
        }
        INDArray choice = tape.allocateFloat(Arrays.rows(scores), experts);
        Arrays.write(choice, 0, values, 0, values.length);
        tape.record(choice, (out, dy) -> {
        }, List.of());
        return choice;
    }

    /**
     * The weights of the experts of each token: {@code w = factor * s / sum(s)}, or {@code factor * s}: s, w [N, k].
     * Gradient of the first: {@code ds = factor / sum(s) * (dw - sum(dw * s) / sum(s))}.
     */
    static Variable weights(Tape tape, Variable chosen, ExpertsPlan.RouterPlan plan) {
        double factor = plan.groups().map(ExpertsPlan.Groups::factor).orElse(1.0);
        boolean summed = plan.weights() == ExpertsPlan.Weights.SIGMOID_OF_CHOSEN;
        int k = chosen.columns();
        float[] s = Arrays.toFloats(chosen.value());
        float[] w = new float[s.length];
        for (int i = 0; i < s.length; i++) {
            w[i] = (float) (factor * s[i] / (summed ? sum(s, s, i / k * k, k, false) : 1));
        }
        INDArray y = tape.allocateFloat(chosen.rows(), k);
        Arrays.write(y, 0, w, 0, w.length);
        return tape.record(y, (out, dy) -> chosen.addGradient((dx, accumulate) -> {
            float[] dw = Arrays.toFloats(dy);
            float[] ds = accumulate ? Arrays.toFloats(dx) : new float[dw.length];
            for (int i = 0; i < dw.length; i++) {
                int row = i / k * k;
                double total = summed ? sum(s, s, row, k, false) : 1;
                ds[i] += (float) (factor / total * (dw[i] - (summed ? sum(dw, s, row, k, true) / total : 0)));
            }
            Arrays.write(dx, 0, ds, 0, ds.length);
        }), List.of(chosen));
    }

    private static double sum(float[] a, float[] b, int from, int count, boolean product) {
        double sum = product ? 0 : SMALLEST;
        for (int i = from; i < from + count; i++) {
            sum += product ? (double) a[i] * b[i] : a[i];
        }
        return sum;
    }
}
