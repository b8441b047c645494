package io.peft4j.models.architecture;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A bias on attention scores by the distance of key and query, which a table [buckets, heads] holds: near distances
 * have a bucket each, further ones share buckets that grow with the logarithm (<a
 * href="https://arxiv.org/abs/1910.10683">1910.10683</a>). Owns the bias as attention reads it.
 */
@Internal
public final class RelativeBias implements Layer, ModelTensors, AutoCloseable {
    private final FrozenWeight table;
    private final INDArray bias;

    /**
     * A bias.
     *
     * @param maxDistance positions further apart count as this far
     * @param bidirectional whether keys behind a query have buckets of their own; otherwise none is seen
     */
    public RelativeBias(FrozenWeight table, int maxDistance, boolean bidirectional) {
        this.table = table;
        int heads = table.columns();
        float[] values = new float[heads * (2 * maxDistance + 1)];
        float[] row = new float[heads];
        for (int distance = -maxDistance; distance <= maxDistance; distance++) {
            table.readRow(bucket(distance, table.rows(), maxDistance, bidirectional), row, 0);
            for (int head = 0; head < heads; head++) {
                values[head * (2 * maxDistance + 1) + maxDistance + distance] = row[head];
            }
        }
        this.bias = Arrays.of(values, heads, 2 * maxDistance + 1);
    }

    /** The bucket of a distance, key less query, in float arithmetic as in the original. */
    private static int bucket(int distance, int buckets, int maxDistance, boolean bidirectional) {
        int count = bidirectional ? buckets / 2 : buckets;
        int offset = bidirectional && distance > 0 ? count : 0;
        int away = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
        int exact = count / 2;
        if (away < exact) {
            return offset + away;
        }
        float share = (float) Math.log((float) away / exact) / (float) Math.log((double) maxDistance / exact);
        return offset + Math.min(count - 1, exact + (int) (share * (count - exact)));
    }

    /** The bias as attention reads it. */
    public AttentionExtras extras() {
        return AttentionExtras.bias(bias);
    }

    @Override
    public List<ModelTensor> tensors(String path) {
        return List.of(new ModelTensor(path + ".weight", new long[] {table.rows(), table.columns()},
                (row, target) -> table.readRow(row, target, 0)));
    }

    /** It is no layer of its own: attention reads the bias. */
    @Override
    public Variable forward(ForwardContext context, Variable x) {
        throw new IllegalStateException("a relative bias is read by attention, not run");
    }

    @Override
    public void close() {
        bias.close();
    }
}
