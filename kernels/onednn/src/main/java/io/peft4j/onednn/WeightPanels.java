package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import java.util.Optional;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Turns a quantized weight into plain floats, a part at a time, in scratch memory that is used again: what is
 * multiplied next is still in the cache, and no weight is ever there as a whole.
 */
final class WeightPanels {
    /** Elements that are decoded at a time: some megabytes. */
    private static final int PANEL = 1 << 21;
    /** Elements that a thread decodes at a time: they stay in its nearest cache. */
    private static final int TILE = 1 << 13;
    private static final int ROW_UNIT = 16;
    /** A multiple of the size of every block. */
    private static final int COLUMN_UNIT = 256;

    private final ThreadTeam team;

    WeightPanels(ThreadTeam team) {
        this.team = team;
    }

    /** A decoded part of a weight. */
    @FunctionalInterface
    interface Panel {
        /** Works on rows or columns from {@code first} on. */
        void run(int first, Matrix part);
    }

    /** Decodes some rows after the others to {@code type}. */
    void rows(FrozenWeight w, DataType type, Panel panel) {
        int size = Math.min(w.rows(), Math.max(1, PANEL / w.columns() / ROW_UNIT) * ROW_UNIT);
        for (int first = 0; first < w.rows(); first += size) {
            run(new Part(w, first, Math.min(size, w.rows() - first), 0, w.columns()), type, first, panel);
        }
    }

    /** Decodes some columns after the others to {@code type}. */
    void columns(FrozenWeight w, DataType type, Panel panel) {
        int size = Math.min(w.columns(), Math.max(1, PANEL / w.rows() / COLUMN_UNIT) * COLUMN_UNIT);
        for (int first = 0; first < w.columns(); first += size) {
            run(new Part(w, 0, w.rows(), first, Math.min(size, w.columns() - first)), type, first, panel);
        }
    }

    private void run(Part part, DataType type, int first, Panel panel) {
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            Span decoded = Span.scratch(team.caller(), type, (long) part.rows * part.columns);
            RowBlocks.groups(team, part.rows, (lane, from, count) -> {
                int group = Math.max(1, TILE / part.columns);
                for (int done = 0; done < count; done += group) {
                    int n = Math.min(group, count - done);
                    part.decode(lane, from + done, n, decoded.from((long) (from + done) * part.columns));
                }
            });
            panel.run(first, Matrix.dense(decoded, part.rows, part.columns));
        }
    }

    /** Rows and columns of a weight. */
    private record Part(FrozenWeight w, int firstRow, int rows, int firstColumn, int columns) {
        /** Decodes {@code count} rows from the part's row {@code first} on. */
        void decode(ThreadContext lane, int first, int count, Span to) {
            if (w instanceof Int8Weight bytes && scale(lane, bytes, first, count, to)) {
                return;
            }
            if (w instanceof BlockWeight blocks && to.type() == DataType.BFLOAT16
                    && FourBitRows.decodes(blocks.type())) {
                fourBit(lane, blocks, first, count, to);
                return;
            }
            float[] values = lane.floats(1, count * columns);
            for (int i = 0; i < count; i++) {
                read(lane, firstRow + first + i, values, i * columns);
            }
            OneDnnElements.write(lane, values, to, count * columns);
        }

        private boolean scale(ThreadContext lane, Int8Weight bytes, int first, int count, Span to) {
            int row = firstRow + first;
            long from = bytes.values() + (long) row * w.columns() + firstColumn;
            Optional<CompiledCall> call = lane.call(new Int8CopySpec(to.type(), count, columns, w.columns()));
            call.ifPresent(c -> c.run(lane, from, to.address(), bytes.scales() + 4L * row));
            return call.isPresent();
        }

        private void fourBit(ThreadContext lane, BlockWeight blocks, int first, int count, Span to) {
            short[] values = lane.shorts(count * columns);
            int number = columns / blocks.type().blockSize();
            for (int i = 0; i < count; i++) {
                byte[] encoded = encoded(lane, blocks, firstRow + first + i);
                FourBitRows.decode(blocks.type(), encoded, number, values, i * columns);
            }
            NativeMemory.write(to.address(), values, 0, count * columns);
        }

        private byte[] encoded(ThreadContext lane, BlockWeight blocks, int row) {
            int bytes = (int) blocks.type().bytes(columns);
            byte[] encoded = lane.bytes(bytes);
            long element = (long) row * w.columns() + firstColumn;
            NativeMemory.read(blocks.address() + blocks.type().bytes(element), encoded, 0, bytes);
            return encoded;
        }

        private void read(ThreadContext lane, int row, float[] values, int offset) {
            if (w instanceof BlockWeight blocks) {
                blocks.type().decode(encoded(lane, blocks, row), columns / blocks.type().blockSize(), values, offset);
            } else {
                Int8Weight bytes = (Int8Weight) w;
                bytes.read(row, firstColumn, firstColumn + columns, values, offset, lane.bytes(columns));
            }
        }
    }

    /**
     * Signed bytes [rows, columns] times a scale for each row, as floats without gaps. Arguments of the call: bytes,
     * floats, scales.
     *
     * @param type type of the floats
     * @param rows number of rows
     * @param columns number of columns
     * @param stride bytes from row to row
     */
    private record Int8CopySpec(DataType type, int rows, int columns, int stride) implements PrimitiveSpec {
        private static final int EACH_ROW = 1;

        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            memory.desc from = new memory.desc(new long[] {rows, columns}, memory.data_type.s8, new long[] {stride, 1});
            memory.desc to = PrimitiveSpec.matrix(type, rows, columns);
            primitive_attr attributes = PrimitiveSpec.attributes();
            attributes.set_scales_mask(DNNL_ARG_FROM, EACH_ROW);
            return PrimitiveSpec.reorder(lane, this, from, to, attributes,
                    new Argument(DNNL_ARG_ATTR_SCALES | DNNL_ARG_FROM,
                            PrimitiveSpec.vector(DataType.FLOAT, rows)));
        }
    }
}
