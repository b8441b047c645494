package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.RotaryKernels;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.BinarySpec.Shape;
import java.util.Optional;
import org.bytedeco.dnnl.memory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rotary position embedding. A block of rows is copied to f32 with the first and the second halves of all heads apart,
 * as [2, heads, rows, half]: then a rotation is four products with the block's cosines and sines, which all heads
 * share. Loops through vectors, where there are any, rotate rows as they lie.
 */
final class OneDnnRotary implements RotaryKernels {
    private final ThreadTeam team;

    OneDnnRotary(ThreadTeam team) {
        this.team = team;
    }

    @Override
    public void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse) {
        int width = Arrays.columns(x);
        Span xs = Span.of(x);
        if (team.caller().loops().vectorized() || table.neighbours()) {
            rotateInHeap(xs, width, headSize, table, positions, inverse ? -1 : 1);
            return;
        }
        RowBlocks.share(team, positions.length, width, (lane, first, rows) -> {
            long mark = lane.scratch().mark();
            HalvesSpec split = new HalvesSpec(x.dataType(), rows, width / headSize, headSize, table.half(), true);
            rotate(lane, split, xs.from((long) first * width), table, positions, first, inverse);
            lane.scratch().release(mark);
        });
    }

    private void rotateInHeap(Span x, int width, int headSize, RotaryTable table, int[] positions, float sign) {
        int half = table.half();
        RowBlocks.tiles(team, positions.length, width, (lane, first, rows) -> {
            int count = rows * width;
            float[] u = lane.floats(1, count);
            OneDnnElements.read(lane, x.from((long) first * width), u, count);
            for (int at = 0; at < count; at += headSize) {
                int position = positions[first + at / width];
                if (table.neighbours()) {
                    table.rotateNeighbours(u, at, position, sign);
                } else {
                    lane.loops().rotate(u, at, half, table.cosines(), table.sines(), position * half, sign);
                }
            }
            OneDnnElements.write(lane, u, x.from((long) first * width), count);
        });
    }

    private static void rotate(ThreadContext lane, HalvesSpec split, Span x, RotaryTable table, int[] positions,
            int first,
            boolean inverse) {
        int columns = split.rows() * split.half();
        Span cosines = gathered(lane, table.cosines(), split, positions, first, 1f);
        Span sines = gathered(lane, table.sines(), split, positions, first, inverse ? -1f : 1f);
        Span negative = gathered(lane, table.sines(), split, positions, first, inverse ? 1f : -1f);
        Span from = Span.scratch(lane, DataType.FLOAT, 2L * split.heads() * columns);
        Span to = Span.scratch(lane, DataType.FLOAT, 2L * split.heads() * columns);
        split.run(lane, x, from);
        Span second = from.from((long) split.heads() * columns);
        // One number for each row and pair: the same for all heads.
        multiply(lane, 2 * split.heads(), columns, from, cosines, to, false);
        multiply(lane, split.heads(), columns, second, negative, to, true);
        multiply(lane, split.heads(), columns, from, sines, to.from((long) split.heads() * columns), true);
        split.joining().run(lane, to, x);
    }

    private static void multiply(ThreadContext lane, int rows, int columns, Span a, Span b, Span y,
            boolean accumulate) {
        Vectors.required(lane, new BinarySpec(Operator.MULTIPLY, DataType.FLOAT, DataType.FLOAT, Shape.ROW, rows,
                columns, accumulate)).run(lane, a.address(), b.address(), y.address());
    }

    /** The table's rows at the positions of a block, times a sign: [rows, half]. */
    private static Span gathered(ThreadContext lane, float[] table, HalvesSpec block, int[] positions, int first,
            float sign) {
        int half = block.half();
        float[] values = lane.floats(1, block.rows() * half);
        for (int i = 0; i < block.rows(); i++) {
            System.arraycopy(table, positions[first + i] * half, values, i * half, half);
        }
        if (sign < 0) {
            for (int i = 0; i < block.rows() * half; i++) {
                values[i] = -values[i];
            }
        }
        Span gathered = Span.scratch(lane, DataType.FLOAT, (long) block.rows() * half);
        NativeMemory.write(gathered.address(), values, 0, block.rows() * half);
        return gathered;
    }

    /**
     * A copy of the first and second halves of all heads between rows [rows, heads x headSize] and FLOAT
     * [2, heads, rows, half]. Elements of a head after the two halves are not touched.
     *
     * @param type type of the rows
     * @param split from rows to halves, or back
     */
    private record HalvesSpec(DataType type, int rows, int heads, int headSize, int half,
            boolean split) implements PrimitiveSpec {
        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            long[] sizes = {2, heads, rows, half};
            memory.desc together = PrimitiveSpec.desc(type, sizes,
                    new long[] {half, headSize, (long) heads * headSize, 1});
            memory.desc apart = PrimitiveSpec.desc(DataType.FLOAT, sizes,
                    new long[] {(long) heads * rows * half, (long) rows * half, half, 1});
            memory.desc from = split ? together : apart;
            memory.desc to = split ? apart : together;
            return PrimitiveSpec.reorder(lane, this, from, to, PrimitiveSpec.attributes());
        }

        /** The copy back. */
        HalvesSpec joining() {
            return new HalvesSpec(type, rows, heads, headSize, half, false);
        }

        /** Runs the copy; in loops of our own where oneDNN has nothing fast. */
        void run(ThreadContext lane, Span from, Span to) {
            Optional<CompiledCall> call = lane.call(this);
            if (call.isPresent()) {
                call.get().run(lane, from.address(), to.address());
                return;
            }
            Span together = split ? from : to;
            Span apart = split ? to : from;
            float[] values = lane.floats(2, half);
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < rows; i++) {
                    for (int side = 0; side < 2; side++) {
                        Span row = together.from((long) (i * heads + h) * headSize + side * half);
                        long address = apart.from((long) ((side * heads + h) * rows + i) * half).address();
                        if (split) {
                            OneDnnElements.read(lane, row, values, half);
                            NativeMemory.write(address, values, 0, half);
                        } else {
                            NativeMemory.read(address, values, 0, half);
                            OneDnnElements.write(lane, values, row, half);
                        }
                    }
                }
            }
        }
    }
}
