package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.WeightLoader;
import java.util.List;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Between the one matrix that a network of latent attention makes keys and values with, {@code kv_b_proj}
 * [heads x (plain + value), rank], and the two of llama.cpp's files: {@code k_b_proj} [heads, rank, plain] and
 * {@code v_b_proj} [heads, value, rank].
 *
 * @param heads the number of heads
 * @param plain elements of a head without positions
 * @param value elements of a head's value
 * @param rank width of the state
 */
record LatentFiles(int heads, int plain, int value, int rank) {
    static final String BOTH = "kv_b_proj";
    private static final String KEYS = "k_b_proj";
    private static final String VALUES = "v_b_proj";

    private int rows() {
        return plain + value;
    }

    /** Whether a checkpoint holds the two matrices. */
    static boolean areApart(WeightLoader weights, String path, UnaryOperator<String> stored) {
        return !weights.has(stored.apply(path + ".weight")) && weights.has(stored.apply(name(path, KEYS)));
    }

    private static String name(String path, String part) {
        return path.replace(BOTH, part) + ".weight";
    }

    /** The one matrix, from the two of a checkpoint. */
    INDArray matrix(WeightLoader weights, String path, UnaryOperator<String> stored) {
        String keys = stored.apply(name(path, KEYS));
        String values = stored.apply(name(path, VALUES));
        weights.require(keys, heads, rank, plain);
        weights.require(values, heads, value, rank);
        return weights.assembled(weights.activationType(), heads * rows(), rank, List.of((tensors, target) -> {
            float[] transposed = new float[rank * plain];
            float[] head = new float[rows() * rank];
            for (int h = 0; h < heads; h++) {
                tensors.readFloats(keys, (long) h * transposed.length, transposed, 0, transposed.length);
                for (int i = 0; i < transposed.length; i++) {
                    head[i % plain * rank + i / plain] = transposed[i];
                }
                tensors.readFloats(values, (long) h * value * rank, head, plain * rank, value * rank);
                Arrays.write(target, (long) h * head.length, head, 0, head.length);
            }
        }));
    }

    /** The two matrices of the one. */
    List<ModelTensor> split(ModelTensor both) {
        String path = both.name().substring(0, both.name().lastIndexOf('.'));
        float[] read = new float[rank];
        return List.of(new ModelTensor(name(path, KEYS), new long[] {heads, rank, plain}, (row, target) -> {
            for (int i = 0; i < plain; i++) {
                both.rows().readRow(row / rank * rows() + i, read);
                target[i] = read[row % rank];
            }
        }), new ModelTensor(name(path, VALUES), new long[] {heads, value, rank},
                (row, target) -> both.rows().readRow(row / value * rows() + plain + row % value, target)));
    }
}
