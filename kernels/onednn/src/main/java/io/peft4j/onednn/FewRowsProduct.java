package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import io.peft4j.onednn.MatmulSpec.Operand;
import java.util.Optional;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code c = a b (+ c)} in FLOAT for a few rows of a and a b that is the transpose of stored rows, as a weight is.
 *
 * <p>oneDNN brings the right operand into a layout of its own first, which for a few rows takes as long as multiplying
 * them. The left one it reads where it lies, so this computes {@code c^T = b^T a^T}: a weight that comes from main
 * memory is read once, and what is copied are the few rows.
 */
final class FewRowsProduct {
    /** A row alone has code of its own. */
    private static final int FEWEST_ROWS = 2;
    /** With more rows the layout is worth what it costs. */
    private static final int MOST_ROWS = 32;
    /** Rows are padded to a multiple of this: the floats of a register, and few primitives. */
    private static final int UNIT = 8;
    private static final int FEWEST_COLUMNS = 32;

    private FewRowsProduct() {
    }

    /** Whether some rows of {@code c = alpha a b} are computed faster so. */
    static boolean suits(Matrix a, Matrix b, Matrix c, int rows, float alpha) {
        return rows >= FEWEST_ROWS && rows <= MOST_ROWS && alpha == 1f && !a.transposed() && b.transposed()
                && c.columns() >= FEWEST_COLUMNS && a.type() == DataType.FLOAT && b.type() == DataType.FLOAT
                && c.type() == DataType.FLOAT;
    }

    /** Computes the product on a lane. */
    static void run(ThreadContext lane, Matrix a, Matrix b, Matrix c, boolean accumulate) {
        long mark = lane.scratch().mark();
        int columns = c.columns();
        int reduced = a.columns();
        int padded = (c.rows() + UNIT - 1) / UNIT * UNIT;
        Span rows = Products.padded(lane, a, 0, a.rows(), padded, 0, reduced).data();
        Span turned = turned(lane, rows, padded, reduced);
        Span product = Span.scratch(lane, DataType.FLOAT, (long) columns * padded);
        PlainProduct.run(lane, new MatmulSpec(Operand.rows(DataType.FLOAT, b.stride()),
                Operand.rows(DataType.FLOAT, padded), Operand.rows(DataType.FLOAT, padded), columns, reduced, padded,
                1f, false), b.address(0, 0), turned.address(), product.address());
        Products.deliver(lane, turned(lane, product, columns, padded), c, accumulate);
        lane.scratch().release(mark);
    }

    /** The transpose of a matrix without gaps. */
    private static Span turned(ThreadContext lane, Span from, int rows, int columns) {
        Span to = Span.scratch(lane, DataType.FLOAT, (long) rows * columns);
        Vectors.required(lane, new TransposeSpec(rows, columns)).run(lane, from.address(), to.address());
        return to;
    }

    /** The transpose of FLOAT [rows, columns]. Arguments of the call: from, to. */
    private record TransposeSpec(int rows, int columns) implements PrimitiveSpec {
        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            memory.desc from = PrimitiveSpec.matrix(DataType.FLOAT, rows, columns);
            memory.desc to = PrimitiveSpec.desc(DataType.FLOAT, new long[] {rows, columns}, new long[] {1, rows});
            reorder.primitive_desc description = new reorder.primitive_desc(lane.engine(), from, lane.engine(), to,
                    PrimitiveSpec.attributes(), true);
            return PrimitiveSpec.assemble(lane, this, description, () -> new reorder(description),
                    new Argument(DNNL_ARG_FROM, from), new Argument(DNNL_ARG_TO, to));
        }
    }
}
