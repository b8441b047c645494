package io.peft4j.onednn;

import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Matrix products of any mix of types. f32 activations are multiplied in f32, whatever the weight is stored in; where
 * input or result are bf16, in bf16 with f32 sums, if the processor has that. What does not fit is converted in
 * scratch memory first: the conversion costs a few percent of a large product.
 */
final class MatrixKernels {
    /** Elements of a block weight that are decoded at a time. */
    private static final int PANEL = 1 << 21;

    private final Team team;
    private final Products products;
    private final boolean hasBFloat16;

    MatrixKernels(Team team, boolean hasBFloat16) {
        this.team = team;
        this.products = new Products(team);
        this.hasBFloat16 = hasBFloat16;
    }

    void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        Matrix a = Matrix.of(x, false);
        Matrix c = Matrix.of(y, false);
        DataType type = computeType(x, y);
        if (w instanceof DenseWeight dense) {
            multiply(a, Matrix.of(dense.values(), true), c, type, 1f, accumulate);
            return;
        }
        BlockWeight blocks = (BlockWeight) w;
        withPanels(blocks, type, (first, panel) -> {
            Matrix part = new Matrix(c.data().from(first), c.rows(), panel.rows(), c.stride(), false);
            Matrix transposed = new Matrix(panel.data(), panel.columns(), panel.rows(), panel.stride(), true);
            multiply(a, transposed, part, type, 1f, accumulate);
        });
    }

    void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate) {
        Matrix a = Matrix.of(dy, false);
        Matrix c = Matrix.of(dx, false);
        DataType type = computeType(dy, dx);
        if (w instanceof DenseWeight dense) {
            multiply(a, Matrix.of(dense.values(), false), c, type, 1f, accumulate);
            return;
        }
        BlockWeight blocks = (BlockWeight) w;
        Scratch scratch = team.caller().scratch();
        long mark = scratch.mark();
        // A result that is added to several times is kept in f32 meanwhile.
        boolean direct = dx.dataType() == DataType.FLOAT || blocks.rows() <= panelRows(blocks);
        Matrix sum = direct ? c : wide(c, accumulate);
        withPanels(blocks, type, (first, panel) -> {
            Matrix part = new Matrix(a.data().from(first), a.rows(), panel.rows(), a.stride(), false);
            multiply(part, panel, sum, type, 1f, accumulate || first > 0);
        });
        if (!direct) {
            convert(sum.data(), c.data(), c.length());
        }
        scratch.release(mark);
    }

    void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate) {
        multiply(Matrix.of(a, transposeA), Matrix.of(b, transposeB), Matrix.of(c, false), computeType(a, b, c), alpha,
                accumulate);
    }

    private DataType computeType(INDArray... arrays) {
        for (INDArray array : arrays) {
            if (hasBFloat16 && array.dataType() == DataType.BFLOAT16) {
                return DataType.BFLOAT16;
            }
        }
        return DataType.FLOAT;
    }

    /** Multiplies in the given type; the sums are f32. */
    private void multiply(Matrix a, Matrix b, Matrix c, DataType type, float alpha, boolean accumulate) {
        Scratch scratch = team.caller().scratch();
        long mark = scratch.mark();
        Matrix left = as(a, type);
        boolean mixed = b.type() != type && type == DataType.FLOAT && products.supports(left, b, c);
        Matrix right = mixed ? b : as(b, type);
        if (c.type() == DataType.FLOAT || mixed || type == DataType.BFLOAT16) {
            products.multiply(left, right, c, alpha, accumulate);
        } else {
            Matrix wide = wide(c, accumulate);
            products.multiply(left, right, wide, alpha, accumulate);
            narrow(wide, c);
        }
        scratch.release(mark);
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
            RowKernels.share(team, storedRows, (lane, first, count) -> {
                for (int i = first; i < first + count; i++) {
                    Vectors.convert(lane, m.data().from((long) i * m.stride()), copy.from((long) i * storedColumns),
                            storedColumns);
                }
            });
            return m.at(copy);
        }
        Span copy = Span.scratch(team.caller(), type, m.length());
        convert(m.data(), copy, m.length());
        return m.at(copy);
    }

    /** Scratch memory for a result in f32, with the present values where they are added to. */
    private Matrix wide(Matrix c, boolean accumulate) {
        return accumulate ? as(c, DataType.FLOAT)
                : c.at(Span.scratch(team.caller(), DataType.FLOAT, c.length()));
    }

    private void narrow(Matrix wide, Matrix c) {
        RowKernels.share(team, c.rows(), (lane, first, count) -> {
            for (int i = first; i < first + count; i++) {
                Vectors.convert(lane, wide.data().from((long) i * wide.stride()), c.data().from((long) i * c.stride()),
                        c.columns());
            }
        });
    }

    private void convert(Span from, Span to, long length) {
        int size = 1 << 16;
        team.run(Math.toIntExact((length + size - 1) / size), (lane, task) -> {
            long first = (long) task * size;
            Vectors.convert(lane, from.from(first), to.from(first), (int) Math.min(size, length - first));
        });
    }

    // ---- block weights

    /** Some decoded rows of a block weight. */
    @FunctionalInterface
    private interface Panel {
        void run(int firstRow, Matrix rows);
    }

    private static int panelRows(BlockWeight w) {
        return Math.max(16, PANEL / w.columns() / 16 * 16);
    }

    private void withPanels(BlockWeight w, DataType type, Panel panel) {
        int width = w.columns();
        int size = Math.min(w.rows(), panelRows(w));
        Scratch scratch = team.caller().scratch();
        long mark = scratch.mark();
        Span decoded = Span.scratch(team.caller(), type, (long) size * width);
        for (int first = 0; first < w.rows(); first += size) {
            int rows = Math.min(size, w.rows() - first);
            decode(w, first, rows, decoded);
            panel.run(first, new Matrix(decoded, rows, width, width, false));
        }
        scratch.release(mark);
    }

    private void decode(BlockWeight w, int from, int rows, Span to) {
        int width = w.columns();
        RowKernels.share(team, rows, (lane, first, count) -> {
            int group = Math.max(1, (1 << 13) / width);
            float[] values = lane.tiles().floats(1, group * width);
            for (int done = 0; done < count; done += group) {
                int n = Math.min(group, count - done) * width;
                long element = (long) (first + done) * width;
                w.type().dequantize(w.address(), (long) from * width + element, values, 0, n);
                ElementwiseKernels.write(lane, values, to.from(element), n);
            }
        });
    }
}
