package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.io.Closer;
import io.peft4j.core.peft.method.Sensitivity;
import io.peft4j.core.peft.method.TrainingHook;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * AdaLoRA in a training: the term of the loss that keeps the vectors orthogonal, and after each update the importance
 * of the ranks and the cuts that the schedule asks for; {@link AdaLoraConfig} has the formulas.
 *
 * <p>A rank's score is the sum over E, the row of A and the column of B of {@code importance * uncertainty}, averages
 * over the row and the column. Scores that are equal to the threshold are cut too, as in Hugging Face PEFT.
 */
final class RankAllocator implements TrainingHook {
    private final AdaLoraAdapter adapter;
    private final AdaLoraConfig config;
    private final List<AdaLoraLayer> layers;
    private final long total;
    /** Whether the ranks were chosen in an earlier training. */
    private final boolean spent;
    private final List<Sensitivity> averages = new ArrayList<>();
    /** For each rank 1 where it is left, 0 where it is cut; all -1 before the first cut. */
    private final INDArray kept;

    RankAllocator(AdaLoraAdapter adapter, long total, boolean spent) {
        this.adapter = adapter;
        this.config = adapter.config();
        this.layers = adapter.decomposed();
        this.total = total;
        this.spent = spent;
        this.kept = Arrays.zeros(DataType.FLOAT, (long) Math.max(1, layers.size()) * config.initialRank());
        try (Closer opened = new Closer()) {
            opened.add(this);
            float[] none = new float[(int) kept.length()];
            java.util.Arrays.fill(none, -1);
            Arrays.write(kept, 0, none, 0, none.length);
            for (AdaLoraLayer layer : spent ? List.<AdaLoraLayer>of() : layers) {
                for (Parameter parameter : parameters(layer)) {
                    averages.add(new Sensitivity(parameter, config.beta1(), config.beta2(), false));
                }
            }
            opened.keep();
        }
    }

    private static List<Parameter> parameters(AdaLoraLayer layer) {
        return List.of(layer.e().parameter(), layer.a().parameter(), layer.b().parameter());
    }

    @Override
    public double addToGradients(long step) {
        double sum = 0;
        if (config.orthogonality() > 0) {
            double weight = config.orthogonality() / (2 * layers.size());
            for (AdaLoraLayer layer : layers) {
                sum += Orthogonality.addGradient(layer.a().parameter(), true, weight);
                sum += Orthogonality.addGradient(layer.b().parameter(), false, weight);
            }
        }
        return sum;
    }

    @Override
    public void resumed() {
        note(Arrays.toFloats(kept));
    }

    @Override
    public void afterUpdate(long step, double gradientScale) {
        if (spent) {
            return;
        }
        long last = total - config.finish();
        if (step < last) {
            averages.forEach(average -> average.update(gradientScale));
            boolean due = step > config.warmup() && step % config.interval() == 0;
            if (due) {
                cut(budget(step));
            }
        } else if (step == last) {
            cut(budget(step));
            averages.forEach(Sensitivity::clear);
        } else {
            applyCut();
        }
    }

    /** Ranks of all layers together that are to be left after an update. */
    private int budget(long step) {
        int initial = config.initialRank() * layers.size();
        int target = config.targetRank() * layers.size();
        if (step <= config.warmup()) {
            return initial;
        }
        if (step > total - config.finish()) {
            return target;
        }
        double left = 1 - (double) (step - config.warmup()) / (total - config.finish() - config.warmup());
        return (int) ((initial - target) * Math.pow(left, 3) + target);
    }

    private void cut(int budget) {
        int ranks = config.initialRank();
        float[] scores = new float[ranks * layers.size()];
        for (int i = 0; i < layers.size(); i++) {
            float[] e = averages.get(3 * i).scores();
            float[] a = averages.get(3 * i + 1).scores();
            float[] b = averages.get(3 * i + 2).scores();
            for (int k = 0; k < ranks; k++) {
                scores[i * ranks + k] = (float) (e[k] + mean(a, k * (a.length / ranks), 1, a.length / ranks)
                        + mean(b, k, ranks, b.length / ranks));
            }
        }
        int cuts = scores.length - budget;
        if (cuts <= 0) {
            return;
        }
        float[] sorted = scores.clone();
        java.util.Arrays.sort(sorted);
        float[] left = new float[scores.length];
        for (int i = 0; i < left.length; i++) {
            left[i] = scores[i] > sorted[cuts - 1] ? 1 : 0;
        }
        Arrays.write(kept, 0, left, 0, left.length);
        applyCut();
    }

    private static double mean(float[] values, int first, int stride, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += values[first + i * stride];
        }
        return sum / count;
    }

    /** Sets what is cut to zero, and notes it in the configuration. */
    private void applyCut() {
        float[] left = Arrays.toFloats(kept);
        for (int i = 0; i < layers.size() && left[0] >= 0; i++) {
            INDArray e = layers.get(i).e().parameter().value();
            float[] values = Arrays.toFloats(e);
            for (int k = 0; k < values.length; k++) {
                values[k] = left[i * values.length + k] > 0 ? values[k] : 0;
            }
            Arrays.write(e, 0, values, 0, values.length);
        }
        note(left);
    }

    private void note(float[] left) {
        if (spent || left[0] < 0) {
            return;
        }
        Map<String, List<Boolean>> pattern = new LinkedHashMap<>();
        for (int i = 0; i < layers.size(); i++) {
            List<Boolean> ofLayer = new ArrayList<>();
            for (int k = 0; k < config.initialRank(); k++) {
                ofLayer.add(left[i * config.initialRank() + k] > 0);
            }
            pattern.put(layers.get(i).slot().path(), ofLayer);
        }
        adapter.leave(new RankPattern(pattern));
    }

    @Override
    public Map<String, INDArray> arrays() {
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        averages.forEach(average -> average.addTo(arrays));
        arrays.put("kept", kept);
        return arrays;
    }

    @Override
    public void close() {
        averages.forEach(Sensitivity::close);
        kept.close();
    }

    /**
     * The distance of the rows of A, or the columns of B, from being orthonormal: {@code |C|}, {@code C = A A^T - I} or
     * {@code B^T B - I}, in the Frobenius norm. Gradients: {@code 2 C A / |C|} and {@code 2 B C / |C|}.
     */
    private static final class Orthogonality {
        private Orthogonality() {
        }

        /**
         * Adds {@code weight} times the gradient to that of the parameter, and gives {@code weight} times the distance.
         */
        static double addGradient(Parameter parameter, boolean rows, double weight) {
            float[] values = Arrays.toFloats(parameter.value());
            int height = Arrays.rows(parameter.value());
            int width = Arrays.columns(parameter.value());
            int count = rows ? height : width;
            int length = rows ? width : height;
            // Element j of vector i is at i * step + j * stride.
            int step = rows ? width : 1;
            int stride = rows ? 1 : width;
            double[] c = new double[count * count];
            double squares = 0;
            for (int i = 0; i < count; i++) {
                for (int k = 0; k < count; k++) {
                    double sum = i == k ? -1 : 0;
                    for (int j = 0; j < length; j++) {
                        sum += (double) values[i * step + j * stride] * values[k * step + j * stride];
                    }
                    c[i * count + k] = sum;
                    squares += sum * sum;
                }
            }
            double norm = Math.sqrt(squares);
            if (norm > 0) {
                float[] gradient = Arrays.toFloats(parameter.gradient());
                for (int i = 0; i < count; i++) {
                    for (int j = 0; j < length; j++) {
                        double sum = 0;
                        for (int k = 0; k < count; k++) {
                            sum += c[i * count + k] * values[k * step + j * stride];
                        }
                        int index = i * step + j * stride;
                        gradient[index] = (float) (gradient[index] + weight * 2 * sum / norm);
                    }
                }
                Arrays.write(parameter.gradient(), 0, gradient, 0, gradient.length);
            }
            return weight * norm;
        }
    }
}
