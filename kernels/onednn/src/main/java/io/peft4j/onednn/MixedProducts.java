package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import io.peft4j.onednn.Products.Finish;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Matrix products of any mix of types. f32 activations are multiplied in f32, whatever the weight is stored in; where
 * input or result are bf16, in bf16 with f32 sums, if the processor is faster that way ({@link BFloat16Products}). What
 * does not fit is converted in scratch memory first: the conversion costs a few percent of a large product.
 */
final class MixedProducts {
    private final ThreadTeam team;
    private final Products products;
    private final Int8Products int8;
    private final WeightPanels panels;
    private final BFloat16Products bfloat16;

    MixedProducts(ThreadTeam team, BFloat16Products bfloat16) {
        this.team = team;
        this.products = new Products(team);
        this.int8 = new Int8Products(team);
        this.panels = new WeightPanels(team);
        this.bfloat16 = bfloat16;
    }

    void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        linear(Matrix.of(x, false), w, Matrix.of(y, false), bfloat16.type(Arrays.rows(y), x, y), accumulate,
                Finish.NOTHING);
    }

    /** {@code c = a W^T (+ c)} in the given type, with something done to each part of c. */
    void linear(Matrix a, FrozenWeight w, Matrix c, DataType type, boolean accumulate, Finish finish) {
        if (w instanceof DenseWeight dense) {
            multiply(a, Matrix.of(dense.values(), true), c, type, 1f, accumulate, finish);
            return;
        }
        if (w instanceof Int8Weight bytes && byInt8(a, bytes, c, type, false, accumulate, finish)) {
            return;
        }
        panels.rows(w, panelType(type, c), (first, panel) -> {
            Matrix part = new Matrix(c.data().from(first), c.rows(), panel.rows(), c.stride(), false);
            multiply(a, panel.transpose(), part, type, 1f, accumulate, finish.from(first));
        });
    }

    void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate) {
        linearBackward(Matrix.of(dy, false), w, Matrix.of(dx, false), bfloat16.type(Arrays.rows(dy), dy, dx),
                accumulate, Finish.NOTHING);
    }

    /** {@code c = a W (+ c)} in the given type, with something done to each part of c. */
    void linearBackward(Matrix a, FrozenWeight w, Matrix c, DataType type, boolean accumulate, Finish finish) {
        if (w instanceof DenseWeight dense) {
            multiply(a, Matrix.of(dense.values(), false), c, type, 1f, accumulate, finish);
            return;
        }
        if (w instanceof Int8Weight bytes && byInt8(a, bytes, c, type, true, accumulate, finish)) {
            return;
        }
        panels.columns(w, panelType(type, c), (first, panel) -> {
            Matrix part = new Matrix(c.data().from(first), c.rows(), panel.columns(), c.stride(), false);
            multiply(a, panel, part, type, 1f, accumulate, finish.from(first));
        });
    }

    /** The type that a quantized weight is decoded to: bf16 where a product widens that and rounds its result to it. */
    private DataType panelType(DataType type, Matrix c) {
        return c.type() == DataType.BFLOAT16 && bfloat16.widen() ? DataType.BFLOAT16 : type;
    }

    void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate) {
        Matrix result = Matrix.of(c, false);
        multiply(Matrix.of(a, transposeA), Matrix.of(b, transposeB), result, bfloat16.type(result.rows(), a, b, c),
                alpha, accumulate, Finish.NOTHING);
    }

    /** Multiplies in the given type; the sums are f32. */
    private void multiply(Matrix a, Matrix b, Matrix c, DataType type, float alpha, boolean accumulate,
            Finish finish) {
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            Matrix left = as(a, type);
            boolean mixed = b.type() != type && type == DataType.FLOAT && products.supports(left, b, c);
            Matrix right = mixed ? b : as(b, type);
            if (c.type() == DataType.FLOAT || mixed || type == DataType.BFLOAT16) {
                products.multiply(left, right, c, alpha, accumulate, finish);
            } else {
                Matrix wide = wide(c, accumulate);
                products.multiply(left, right, wide, alpha, accumulate, Finish.NOTHING);
                narrow(wide, c, finish);
            }
        }
    }

    /** The operand in the given type: itself, or a converted copy in scratch memory. */
    private Matrix as(Matrix m, DataType type) {
        if (m.type() == type) {
            return m;
        }
        if (!m.isDense()) {
            Span copy = Span.scratch(team.caller(), type, m.length());
            int storedRows = m.transposed() ? m.columns() : m.rows();
            int storedColumns = m.transposed() ? m.rows() : m.columns();
            RowBlocks.groups(team, storedRows, (lane, first, count) -> {
                for (int i = first; i < first + count; i++) {
                    Vectors.convert(lane, m.data().from((long) i * m.stride()), copy.from((long) i * storedColumns),
                            storedColumns);
                }
            });
            return m.at(copy);
        }
        Matrix copy = scratchFor(m, type);
        Vectors.convert(team, m.data(), copy.data(), m.length());
        return copy;
    }

    /** Scratch memory for a copy of the operand in the given type, with rows of zeros after it for products to read. */
    Matrix scratchFor(Matrix m, DataType type) {
        int spare = m.transposed() ? 0 : -m.rows() & Products.PADDED_UNIT - 1;
        long spareElements = (long) spare * m.columns();
        Span copy = Span.scratch(team.caller(), type, m.length() + spareElements);
        NativeMemory.clear(copy.from(m.length()).address(), spareElements * Arrays.bytes(type));
        return m.at(copy, spare);
    }

    /** Scratch memory for a result in f32, with the present values where they are added to. */
    private Matrix wide(Matrix c, boolean accumulate) {
        return accumulate ? as(c, DataType.FLOAT)
                : c.at(Span.scratch(team.caller(), DataType.FLOAT, c.length()));
    }

    private void narrow(Matrix wide, Matrix c, Finish finish) {
        RowBlocks.groups(team, c.rows(), (lane, first, count) -> {
            for (int i = first; i < first + count; i++) {
                Vectors.convert(lane, wide.data().from((long) i * wide.stride()), c.data().from((long) i * c.stride()),
                        c.columns());
            }
            finish.run(lane, first, count, 0, c.columns());
        });
    }

    // ---- int8 weights

    /** Multiplies by the bytes as they are; false where oneDNN cannot or is slower, and nothing has been done. */
    private boolean byInt8(Matrix a, Int8Weight w, Matrix c, DataType type, boolean backward, boolean accumulate,
            Finish finish) {
        if (panelType(type, c) != type) {
            return false;
        }
        boolean direct = c.type() == DataType.FLOAT || type == DataType.BFLOAT16;
        DataType resultType = direct ? c.type() : DataType.FLOAT;
        if (!Int8Products.suits(c.rows()) || !int8.supports(type, a, w, c, resultType, backward, accumulate)) {
            return false;
        }
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            Matrix left = backward ? int8.scaled(a, w, type) : as(a, type);
            Matrix result = direct ? c : wide(c, accumulate);
            int8.multiply(left, w, result, backward, accumulate, direct ? finish : Finish.NOTHING);
            if (!direct) {
                narrow(result, c, finish);
            }
        }
        return true;
    }
}
