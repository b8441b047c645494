package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Optional;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A bfloat16 weight in oneDNN's own layout for rows of one type: as many bytes again. Rows that are FLOAT meet it cut
 * into parts where the reduced dimension gets too large.
 */
final class PackedBFloat16 extends PackedWeight {
    private static final int UNIT = 32;

    private final DataType type;
    private final int partSize;
    private final long partBytes;

    /**
     * A copy that is not filled yet.
     *
     * @param type of the rows that are multiplied, FLOAT or BFLOAT16
     */
    PackedBFloat16(ThreadContext lane, DataType type, int rows, int columns, int threads) {
        super(rows, columns, threads, count -> parts(type, columns) * partBytes(lane, type, columns, count));
        this.type = type;
        this.partSize = partSize(type, columns);
        this.partBytes = partBytes(lane, type, columns, count(0));
    }

    private static int parts(DataType type, int columns) {
        return (columns + partSize(type, columns) - 1) / partSize(type, columns);
    }

    /** Input features of a part. */
    private static int partSize(DataType type, int columns) {
        int most = PackedSpec.mostReduced(type);
        if (columns <= most) {
            return columns;
        }
        int wanted = (columns + most - 1) / most;
        return ((columns + wanted - 1) / wanted + UNIT - 1) / UNIT * UNIT;
    }

    private static long partBytes(ThreadContext lane, DataType type, int columns, int count) {
        return (PackedSpec.bytes(lane, type, partSize(type, columns), count) + UNIT - 1) / UNIT * UNIT;
    }

    /** Whether oneDNN has fast code for such weights. */
    static boolean runs(ThreadContext lane, DataType type, Span values, int rows, int columns) {
        int part = partSize(type, columns);
        return !values.isFloat() && lane.call(new PackedSpec.Packing(type, part, rows, columns)).isPresent()
                && lane.call(new PackedSpec(type, DataType.FLOAT, 1, part, rows, columns, rows, true)).isPresent();
    }

    @Override
    DataType rowType() {
        return type;
    }

    private int partColumns(int part) {
        return Math.min(partSize, columns() - part * partSize);
    }

    @Override
    boolean pack(ThreadContext lane, FrozenWeight w, int slice, long copy) {
        Span values = Span.of(((DenseWeight) w).values());
        for (int part = 0; part < parts(type, columns()); part++) {
            Span from = values.from((long) first(slice) * columns() + part * partSize);
            Vectors.required(lane, new PackedSpec.Packing(type, partColumns(part), count(slice), columns()))
                    .run(lane, from.address(), copy + part * partBytes);
        }
        return true;
    }

    @Override
    void multiply(ThreadContext lane, int slice, long copy, Span x, int rows, int padded, Span y, boolean accumulate) {
        int count = count(slice);
        Span target = y.from(first(slice));
        DataType computed = type == DataType.FLOAT ? DataType.FLOAT : y.type();
        boolean direct = y.type() == computed && rows == padded;
        Span result = direct ? target : Span.scratch(lane, computed, (long) padded * count);
        int stride = direct ? rows() : count;
        if (accumulate && !direct) {
            copy(lane, target, rows(), result, count, rows, count);
        }
        for (int part = 0; part < parts(type, columns()); part++) {
            Vectors.required(lane, new PackedSpec(type, computed, padded, partColumns(part), count, columns(),
                    stride, accumulate || part > 0)).run(lane, x.from((long) part * partSize).address(),
                            copy + part * partBytes, result.address());
        }
        if (!direct) {
            copy(lane, result, count, target, rows(), rows, count);
        }
    }

    /**
     * {@code c = a b (+ c)} with a [m, k], c [m, n] and b [k, n] BFLOAT16 in the layout that oneDNN likes best, which
     * depends on the type of a and not on m. With a FLOAT, b is widened on its way into the registers; with both
     * BFLOAT16 they are multiplied as they are. Either way no product is rounded, and sums are FLOAT. Arguments of the
     * call: a, b, c.
     *
     * @param a type of a; where it is FLOAT, c is too
     * @param c type of c
     * @param aRow elements from row to row of a
     * @param cRow elements from row to row of c
     * @param accumulate whether c is added to
     */
    private record PackedSpec(DataType a, DataType c, int m, int k, int n, int aRow, int cRow, boolean accumulate)
            implements
                PrimitiveSpec {
        /** The largest k for which oneDNN 3.11 multiplies FLOAT by BFLOAT16; above it computes something else. */
        private static final int MOST_WIDENED = 512;
        /** Rows for which the layout is chosen. */
        private static final int TYPICAL_ROWS = 32;

        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            return layout(lane, a, k, n).flatMap(b -> build(lane, b));
        }

        /** The largest k for which results are right where a has the given type. */
        static int mostReduced(DataType a) {
            return a == DataType.FLOAT ? MOST_WIDENED : Integer.MAX_VALUE;
        }

        private Optional<CompiledCall> build(ThreadContext lane, memory.desc b) {
            memory.desc source = PrimitiveSpec.desc(a, new long[] {m, k}, new long[] {aRow, 1});
            memory.desc target = PrimitiveSpec.desc(c, new long[] {m, n}, new long[] {cRow, 1});
            matmul.primitive_desc description = new matmul.primitive_desc(lane.engine(), source, b, target,
                    PrimitiveSpec.attributes(accumulate), true);
            return PrimitiveSpec.assemble(lane, this, description, () -> new matmul(description),
                    new Argument(DNNL_ARG_SRC, source),
                    new Argument(DNNL_ARG_WEIGHTS, b), new Argument(DNNL_ARG_DST, target));
        }

        /** The bytes of b; there are such products. */
        static long bytes(ThreadContext lane, DataType a, int k, int n) {
            return layout(lane, a, k, n).orElseThrow().get_size();
        }

        /** The layout of b, or empty where oneDNN has no fast code for it. */
        private static Optional<memory.desc> layout(ThreadContext lane, DataType a, int k, int n) {
            matmul.primitive_desc typical = new matmul.primitive_desc(lane.engine(),
                    PrimitiveSpec.matrix(a, TYPICAL_ROWS, k),
                    new memory.desc(new long[] {k, n}, memory.data_type.bf16, memory.format_tag.any),
                    PrimitiveSpec.matrix(DataType.FLOAT, TYPICAL_ROWS, n), PrimitiveSpec.attributes(), true);
            try {
                PrimitiveSpec spec = new PackedSpec(a, DataType.FLOAT, TYPICAL_ROWS, k, n, k, n, false);
                return PrimitiveSpec.usable(lane, spec, typical) ? Optional.of(typical.weights_desc())
                        : Optional.empty();
            } finally {
                typical.deallocate();
            }
        }

        /**
         * Brings rows of a weight [n, k], BFLOAT16, into the layout of b. Arguments: from, to.
         *
         * @param a the type of a
         * @param row elements from row to row of the weight
         */
        record Packing(DataType a, int k, int n, int row) implements PrimitiveSpec {
            @Override
            public Optional<CompiledCall> build(ThreadContext lane) {
                return layout(lane, a, k, n).flatMap(to -> build(lane, to));
            }

            private Optional<CompiledCall> build(ThreadContext lane, memory.desc to) {
                memory.desc from = PrimitiveSpec.desc(DataType.BFLOAT16, new long[] {k, n}, new long[] {1, row});
                return PrimitiveSpec.reorder(lane, this, from, to, PrimitiveSpec.attributes());
            }
        }
    }
}
