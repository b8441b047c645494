package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.TrainingHook;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A table of virtual tokens [tokens, features] that are trained within a distance of where the training begins: after
 * each update what lies further away is moved back onto the distance. Tokens with the distance 0 get no gradient.
 * Where the training is of differences from its beginning, weight decay shrinks these.
 */
final class GuardedTokens implements VirtualSource {
    private final AdapterTensor table;
    private final boolean differences;
    private final double[] distances;

    /**
     * Made in a setup.
     *
     * @param differences whether the training is of differences from its beginning
     * @param distances the largest distance of each token, which may be infinite
     */
    GuardedTokens(AdapterSetup setup, Initializer start, int features, boolean differences, double... distances) {
        this.table = setup.sharedTensor(KEY, start, distances.length, features);
        this.differences = differences;
        this.distances = distances.clone();
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(table);
    }

    @Override
    public Variable columns(Tape tape, Optional<ForwardContext> context, int from, int to) {
        return SmallOps.columns(tape, tape.parameter(table.parameter()), from, to, row -> distances[row] == 0);
    }

    @Override
    public TrainingHook training() {
        INDArray values = table.parameter().value();
        INDArray start = Arrays.of(Arrays.toFloats(values), values.shape());
        return new TrainingHook() {
            @Override
            public void beforeUpdate() {
                if (differences) {
                    add(values, start, -1);
                }
            }

            @Override
            public void afterUpdate(long step, double gradientScale) {
                if (differences) {
                    add(values, start, 1);
                }
                float[] now = Arrays.toFloats(values);
                float[] begun = Arrays.toFloats(start);
                for (int i = 0; i < distances.length; i++) {
                    moveBack(now, begun, i);
                }
                Arrays.write(values, 0, now, 0, now.length);
            }

            @Override
            public Map<String, INDArray> arrays() {
                return Map.of(KEY + ".start", start);
            }

            @Override
            public void close() {
                start.close();
            }
        };
    }

    private static void add(INDArray values, INDArray others, int sign) {
        float[] sum = Arrays.toFloats(values);
        float[] added = Arrays.toFloats(others);
        for (int i = 0; i < sum.length; i++) {
            sum[i] += sign * added[i];
        }
        Arrays.write(values, 0, sum, 0, sum.length);
    }

    private void moveBack(float[] now, float[] begun, int token) {
        int width = now.length / distances.length;
        double sum = 0;
        for (int i = token * width; i < (token + 1) * width; i++) {
            sum += ((double) now[i] - begun[i]) * ((double) now[i] - begun[i]);
        }
        double factor = distances[token] / Math.sqrt(sum);
        for (int i = token * width; i < (token + 1) * width && factor < 1; i++) {
            now[i] = (float) (begun[i] + factor * ((double) now[i] - begun[i]));
        }
    }
}
