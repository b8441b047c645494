package io.peft4j.onednn.internal;

import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Optional;
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

    /** Copies rows and converts them. */
    private static void copy(ThreadContext lane, Span from, int fromRow, Span to, int toRow, int rows, int count) {
        Optional<CompiledCall> call = lane.call(
                new CopySpec(from.type(), to.type(), 1, rows, count, rows * fromRow, fromRow, rows * toRow, toRow));
        if (call.isPresent()) {
            call.get().run(lane, from.address(), to.address());
            return;
        }
        for (int i = 0; i < rows; i++) {
            Vectors.convert(lane, from.from((long) i * fromRow), to.from((long) i * toRow), count);
        }
    }
}
