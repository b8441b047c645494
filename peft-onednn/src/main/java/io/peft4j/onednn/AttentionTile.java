package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.onednn.AttentionPlan.Block;
import io.peft4j.onednn.AttentionPlan.KeyPart;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.MatmulSpec.Operand;
import io.peft4j.onednn.RowSpec.Kind;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * One block of query rows against the keys of one key/value head, on one lane. The query heads that read this head are
 * folded into the rows: row {@code g * padded + i} is query row i of head g of the group, so every product is one
 * matrix product and the gradients of keys and values need no sum over heads. All of type {@link Inputs#type()} but
 * the scores.
 */
final class AttentionTile {
    /**
     * Arguments of attention.
     *
     * @param type of the products; k and v are right operands of such as they are stored
     */
    record Inputs(DataType type, Span q, Span k, Span v, AttentionShape shape) {
        int group() {
            return shape.heads() / shape.keyValueHeads();
        }
    }

    private final Lane lane;
    private final Inputs inputs;
    private final Block block;
    private final int head;
    private final int size;
    private final int rows;
    private final Span[] keys;
    private final Span[] values;
    private final int[] strides;

    AttentionTile(Lane lane, Inputs inputs, Block block, int head) {
        this.lane = lane;
        this.inputs = inputs;
        this.block = block;
        this.head = head;
        this.size = inputs.shape().headSize();
        this.rows = inputs.group() * block.padded();
        int parts = block.parts().size();
        this.keys = new Span[parts];
        this.values = new Span[parts];
        this.strides = new int[parts];
        for (int i = 0; i < parts; i++) {
            KeyPart part = block.parts().get(i);
            keys[i] = keyRows(part, inputs.k());
            values[i] = keyRows(part, inputs.v());
            strides[i] = part.inPlace() ? inputs.shape().keyColumns() : size;
        }
    }

    /** The rows of a part: where they lie, or a copy padded with zeros. */
    private Span keyRows(KeyPart part, Span array) {
        int stride = inputs.shape().keyColumns();
        Span first = array.from((long) part.start() * stride + (long) head * size);
        if (part.inPlace()) {
            return first;
        }
        Span copy = Span.scratch(lane, array.type(), (long) part.padded() * size);
        NativeMemory.clear(copy.from((long) part.length() * size).address(),
                (long) (part.padded() - part.length()) * size * Arrays.bytes(array.type()));
        RowBlocks.each(0, part.length(), size, (row, count) -> copy(new CopySpec(array.type(), array.type(), 1,
                count, size, 0, stride, 0, size), first.from((long) row * stride), copy.from((long) row * size)));
        return copy;
    }

    /** Folded rows of an array [N, heads x D]: [rows(), D], the padding 0. */
    Span fold(Span array) {
        Span folded = Span.scratch(lane, inputs.type(), (long) rows * size);
        if (block.rows() < block.padded()) {
            NativeMemory.clear(folded.address(), (long) rows * size * Arrays.bytes(inputs.type()));
        }
        int stride = inputs.shape().queryColumns();
        copy(new CopySpec(array.type(), inputs.type(), inputs.group(), block.rows(), size, size, stride,
                block.padded() * size, size), queryRows(array), folded);
        return folded;
    }

    /** Writes folded rows to their place in an array [N, heads x D]. */
    void unfold(Span folded, Span array) {
        int stride = inputs.shape().queryColumns();
        copy(new CopySpec(folded.type(), array.type(), inputs.group(), block.rows(), size, block.padded() * size, size,
                size, stride), folded, queryRows(array));
    }

    private Span queryRows(Span array) {
        return array.from((long) block.row() * inputs.shape().queryColumns() + (long) head * inputs.group() * size);
    }

    private void copy(CopySpec spec, Span from, Span to) {
        Vectors.copy(lane, spec, from, to);
    }

    /** {@code scale * q k^T}, minus infinity where a key is hidden: [rows(), columns], FLOAT. */
    Span scores(Span q) {
        Span scores = Span.scratch(lane, DataType.FLOAT, (long) rows * block.columns());
        for (int i = 0; i < keys.length; i++) {
            KeyPart part = block.parts().get(i);
            if (part.isMasked()) {
                writeMask(part, scores);
            }
            product(Operand.rows(inputs.type(), size), q, Operand.transposed(keys[i].type(), strides[i]), keys[i],
                    Operand.rows(DataType.FLOAT, block.columns()), scores.from(part.column()), rows, size,
                    part.padded(), inputs.shape().scale(), part.isMasked());
        }
        return scores;
    }

    /** Writes what the scores of a part are added to: 0, and minus infinity for hidden keys. */
    private void writeMask(KeyPart part, Span scores) {
        Span mask = new Span(DataType.FLOAT, lane.masks().address(part, inputs.group(), block.padded()));
        copy(new CopySpec(DataType.FLOAT, DataType.FLOAT, 1, rows, part.padded(), 0, part.padded(), 0,
                block.columns()), mask, scores.from(part.column()));
    }

    /** Probabilities of scores, in their place if the types are the same. */
    Span softmax(Span scores) {
        Span p = inputs.type() == DataType.FLOAT ? scores
                : Span.scratch(lane, inputs.type(), (long) rows * block.columns());
        Vectors.required(lane, RowSpec.of(Kind.SOFTMAX, DataType.FLOAT, inputs.type(), rows, block.columns()))
                .run(lane, scores.address(), p.address());
        return p;
    }

    /** {@code scale * a x} over all parts of the keys or values x, folded; a is [rows(), columns]. */
    Span timesKeys(Span a, boolean useValues, float scale) {
        DataType type = keys.length == 1 ? inputs.type() : DataType.FLOAT;
        Span result = Span.scratch(lane, type, (long) rows * size);
        for (int i = 0; i < keys.length; i++) {
            KeyPart part = block.parts().get(i);
            product(Operand.rows(a.type(), block.columns()), a.from(part.column()),
                    Operand.rows((useValues ? values[i] : keys[i]).type(), strides[i]),
                    useValues ? values[i] : keys[i], Operand.rows(type, size), result, rows, part.padded(), size, scale,
                    i > 0);
        }
        return result;
    }

    /** {@code a v^T}: [rows(), columns]; a is folded. */
    Span timesValuesTransposed(Span a) {
        int columns = block.columns();
        Span result = Span.scratch(lane, inputs.type(), (long) rows * columns);
        for (int i = 0; i < keys.length; i++) {
            KeyPart part = block.parts().get(i);
            product(Operand.rows(inputs.type(), size), a, Operand.transposed(values[i].type(), strides[i]), values[i],
                    Operand.rows(inputs.type(), columns), result.from(part.column()), rows, size, part.padded(), 1f,
                    false);
        }
        return result;
    }

    /** {@code p * (dp - sum over the row of p * dp)} over dp, which is the gradient of the probabilities p. */
    void softmaxBackward(Span p, Span dp) {
        int columns = block.columns();
        Optional<Call> call = lane.call(RowSpec.of(Kind.SOFTMAX_BACKWARD, inputs.type(), inputs.type(), rows, columns));
        if (call.isPresent()) {
            call.get().run(lane, p.address(), dp.address(), dp.address());
            return;
        }
        // Processors without AVX-512, where everything is FLOAT.
        Span product = Span.scratch(lane, DataType.FLOAT, (long) rows * columns);
        Vectors.binary(lane, Operator.MULTIPLY, p, dp, product, false, rows * columns);
        Span sums = Span.scratch(lane, DataType.FLOAT, rows);
        Vectors.required(lane, RowSpec.of(Kind.SUM, DataType.FLOAT, DataType.FLOAT, rows, columns))
                .run(lane, product.address(), sums.address());
        Vectors.required(lane, BinarySpec.floats(Operator.SUBTRACT, BinarySpec.Shape.COLUMN, rows, columns))
                .run(lane, dp.address(), sums.address(), dp.address());
        Vectors.binary(lane, Operator.MULTIPLY, p, dp, dp, false, rows * columns);
    }

    /**
     * Adds {@code scale * a^T x} to the rows of the keys: a [rows(), columns], x folded.
     *
     * @param sums FLOAT [keys, D], the first row for key row {@code firstKey}
     */
    void addToKeys(Span a, Span x, float scale, Span sums, int firstKey) {
        for (KeyPart part : block.parts()) {
            product(Operand.transposed(inputs.type(), block.columns()), a.from(part.column()),
                    Operand.rows(inputs.type(), size), x, Operand.rows(DataType.FLOAT, size),
                    sums.from((long) (part.start() - firstKey) * size), part.padded(), rows, size, scale, true);
        }
    }

    private void product(Operand a, Span as, Operand b, Span bs, Operand c, Span cs, int m, int k, int n, float alpha,
            boolean accumulate) {
        PlainProduct.run(lane, new MatmulSpec(a, b, c, m, k, n, alpha, accumulate), as.address(), bs.address(),
                cs.address());
    }
}
