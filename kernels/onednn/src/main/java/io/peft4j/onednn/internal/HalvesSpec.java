package io.peft4j.onednn.internal;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import io.peft4j.core.array.internal.NativeMemory;
import java.util.Optional;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A copy of the first and second halves of all heads between rows [rows, heads x headSize] and FLOAT
 * [2, heads, rows, half]. Elements of a head after the two halves are not touched.
 *
 * @param type type of the rows
 * @param split from rows to halves, or back
 */
record HalvesSpec(DataType type, int rows, int heads, int headSize, int half, boolean split) implements PrimitiveSpec {
    @Override
    public Optional<CompiledCall> build(ThreadContext lane) {
        long[] sizes = {2, heads, rows, half};
        memory.desc together = PrimitiveSpec.desc(type, sizes, new long[] {half, headSize, (long) heads * headSize, 1});
        memory.desc apart = PrimitiveSpec.desc(DataType.FLOAT, sizes,
                new long[] {(long) heads * rows * half, (long) rows * half, half, 1});
        memory.desc from = split ? together : apart;
        memory.desc to = split ? apart : together;
        reorder.primitive_desc description = new reorder.primitive_desc(lane.engine(), from, lane.engine(), to,
                PrimitiveSpec.attributes(), true);
        return PrimitiveSpec.assemble(lane, this, description, () -> new reorder(description),
                new Argument(DNNL_ARG_FROM, from),
                new Argument(DNNL_ARG_TO, to));
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
