package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.onednn.AttentionBlocking.Block;
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
    record Inputs(DataType type, Span q, Span k, Span v, AttentionShape shape, ScoreExtras extras) {
        int group() {
            return shape.heads() / shape.keyValueHeads();
        }
    }

    private static final int HIDDEN = 1;

    private final ThreadContext lane;
    private final Inputs inputs;
    private final Block block;
    private final int head;
    private final int size;
    private final int rows;
    private final int columns;
    private final Span keys;
    private final Span values;
    private final int stride;
    /** The scores over the soft cap, in a hyperbolic tangent, if there is one. */
    private Span tangents;

    AttentionTile(ThreadContext lane, Inputs inputs, Block block, int head) {
        this.lane = lane;
        this.inputs = inputs;
        this.block = block;
        this.head = head;
        this.size = inputs.shape().headSize();
        this.rows = inputs.group() * block.padded();
        this.columns = block.columns();
        this.keys = columnRows(inputs.k());
        this.values = columnRows(inputs.v());
        this.stride = block.inPlace() ? inputs.shape().keyColumns() : size;
    }

    /** The keys or values of the columns: where they lie, or copied together, with zeros after them. */
    private Span columnRows(Span array) {
        int keyColumns = inputs.shape().keyColumns();
        if (block.inPlace()) {
            return array.from((long) block.keys().get(0).start() * keyColumns + (long) head * size);
        }
        Span copy = Span.scratch(lane, array.type(), (long) columns * size);
        int column = 0;
        for (Range range : block.keys()) {
            Span first = array.from((long) range.start() * keyColumns + (long) head * size);
            Span target = copy.from((long) column * size);
            RowBlocks.each(0, range.length(), size, (row, count) -> copy(new CopySpec(array.type(), array.type(), 1,
                    count, size, 0, keyColumns, 0, size), first.from((long) row * keyColumns),
                    target.from((long) row * size)));
            column += range.length();
        }
        NativeMemory.clear(copy.from((long) column * size).address(),
                (long) (columns - column) * size * Arrays.bytes(array.type()));
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

    /** {@code scale * q k^T}, capped and biased, minus infinity where a key is hidden: [rows(), columns], FLOAT. */
    Span scores(Span q) {
        ScoreExtras extras = inputs.extras();
        tangents = Span.scratch(lane, DataType.FLOAT, (long) rows * columns);
        product(Operand.rows(inputs.type(), size), q, Operand.transposed(keys.type(), stride), keys,
                Operand.rows(DataType.FLOAT, columns), tangents, rows, size, columns,
                extras.factor(inputs.shape().scale()), false);
        Span scores = extras.cap(lane, tangents, rows * columns);
        for (int g = 0; g < inputs.group(); g++) {
            extras.addBias(lane, block, block.padded(), head * inputs.group() + g,
                    scores.from((long) g * block.padded() * columns));
        }
        hide(scores);
        return scores;
    }

    private void hide(Span scores) {
        if (block.showsAll()) {
            return;
        }
        float[] minusInfinity = lane.floats(HIDDEN, columns);
        java.util.Arrays.fill(minusInfinity, 0, columns, Float.NEGATIVE_INFINITY);
        for (int row = 0; row < rows; row++) {
            Span at = scores.from((long) row * columns);
            int from = block.from(row % block.padded());
            int to = block.to(row % block.padded());
            if (from > 0) {
                NativeMemory.write(at.address(), minusInfinity, 0, from);
            }
            NativeMemory.write(at.from(to).address(), minusInfinity, 0, columns - to);
            inputs.extras().writeSink(block, head * inputs.group() + row / block.padded(), at);
        }
    }

    /** Probabilities of scores, in their place if the types are the same. */
    Span softmax(Span scores) {
        Span p = inputs.type() == DataType.FLOAT ? scores
                : Span.scratch(lane, inputs.type(), (long) rows * columns);
        Vectors.required(lane, RowSpec.of(Kind.SOFTMAX, DataType.FLOAT, inputs.type(), rows, columns))
                .run(lane, scores.address(), p.address());
        return p;
    }

    /** {@code scale * a x} for the keys or values x, folded; a is [rows(), columns]. */
    Span timesKeys(Span a, boolean useValues, float scale) {
        Span x = useValues ? values : keys;
        Span result = Span.scratch(lane, inputs.type(), (long) rows * size);
        product(Operand.rows(a.type(), columns), a, Operand.rows(x.type(), stride), x,
                Operand.rows(inputs.type(), size), result, rows, columns, size, scale, false);
        return result;
    }

    /** {@code a v^T}: [rows(), columns]; a is folded. */
    Span timesValuesTransposed(Span a) {
        Span result = Span.scratch(lane, inputs.type(), (long) rows * columns);
        product(Operand.rows(inputs.type(), size), a, Operand.transposed(values.type(), stride), values,
                Operand.rows(inputs.type(), columns), result, rows, size, columns, 1f, false);
        return result;
    }

    /**
     * The gradient of {@code scale * q k^T} over dp, which is that of the probabilities p:
     * {@code p * (dp - sum over the row of p * dp)}, times the slope of the soft cap. Once only.
     */
    void scoresBackward(Span p, Span dp) {
        softmaxBackward(p, dp);
        inputs.extras().capBackward(lane, tangents, dp, rows * columns);
    }

    private void softmaxBackward(Span p, Span dp) {
        Optional<CompiledCall> call = lane
                .call(RowSpec.of(Kind.SOFTMAX_BACKWARD, inputs.type(), inputs.type(), rows, columns));
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
        if (block.inPlace()) {
            addColumns(a, x, scale, sums.from((long) (block.keys().get(0).start() - firstKey) * size), true);
            return;
        }
        Span result = Span.scratch(lane, DataType.FLOAT, (long) columns * size);
        addColumns(a, x, scale, result, false);
        int column = 0;
        for (Range range : block.keys()) {
            Span from = result.from((long) column * size);
            Span to = sums.from((long) (range.start() - firstKey) * size);
            RowBlocks.each(0, range.length(), size, (row, count) -> Vectors.binary(lane, Operator.ADD,
                    to.from((long) row * size), from.from((long) row * size), to.from((long) row * size), false,
                    count * size));
            column += range.length();
        }
    }

    private void addColumns(Span a, Span x, float scale, Span sums, boolean accumulate) {
        product(Operand.transposed(inputs.type(), columns), a, Operand.rows(inputs.type(), size), x,
                Operand.rows(DataType.FLOAT, size), sums, columns, rows, size, scale, accumulate);
    }

    private void product(Operand a, Span as, Operand b, Span bs, Operand c, Span cs, int m, int k, int n, float alpha,
            boolean accumulate) {
        PlainProduct.run(lane, new MatmulSpec(a, b, c, m, k, n, alpha, accumulate), as.address(), bs.address(),
                cs.address());
    }
}
