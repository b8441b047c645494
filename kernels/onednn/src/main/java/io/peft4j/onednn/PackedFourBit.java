package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.peft4j.core.array.Float16;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.onednn.MatmulSpec.Operand;
import java.util.Optional;
import org.bytedeco.dnnl.global.dnnl.fpmath_mode;
import org.bytedeco.dnnl.global.dnnl.quantization_mode;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A weight of 4-bit blocks as oneDNN multiplies it, 6 bits a value: the 4-bit numbers q, their scales d and their
 * minima m apart. With {@code w = d q + m} a product is {@code x (d q) + s m}, where s are the sums of x over the
 * blocks.
 */
final class PackedFourBit extends PackedWeight {
    /** Values that share a scale. */
    private static final int GROUP = 32;
    private static final int HALF = 16;
    private static final int LOW = 15;
    private static final int SUMS = 1;
    private static final int ROW = 2;
    private static final int OLD = 3;

    private final BlockType type;
    private final int groups;

    PackedFourBit(BlockWeight weight, int threads) {
        super(weight.rows(), weight.columns(), threads, count -> bytes(weight.columns(), count));
        this.type = weight.type();
        this.groups = weight.columns() / GROUP;
    }

    /** Whether oneDNN has fast code for such weights. */
    static boolean runs(ThreadContext lane, BlockWeight weight) {
        return FourBitRows.decodes(weight.type()) && weight.rows() % 2 == 0
                && lane.call(new FourBitSpec(1, weight.columns(), weight.rows())).isPresent();
    }

    private static long bytes(int columns, int count) {
        return (long) columns * count / 2 + 8L * columns / GROUP * count;
    }

    /** Behind the scales, with which a slice's copy begins. */
    private long minima(int slice, long copy) {
        return copy + 4L * groups * count(slice);
    }

    private long numbers(int slice, long copy) {
        return minima(slice, copy) + 4L * groups * count(slice);
    }

    @Override
    boolean pack(ThreadContext lane, FrozenWeight w, int slice, long copy) {
        BlockWeight weight = (BlockWeight) w;
        int count = count(slice);
        byte[] numbers = new byte[columns() * count / 2];
        float[] scales = new float[groups * count];
        float[] minima = new float[groups * count];
        byte[] row = lane.bytes((int) type.bytes(columns()));
        for (int j = 0; j < count; j++) {
            NativeMemory.read(weight.address() + type.bytes((long) (first(slice) + j) * columns()), row, 0,
                    (int) type.bytes(columns()));
            for (int g = 0; g < groups; g++) {
                unpack(row, g, numbers, j, count);
                float d = half(row, g * type.blockBytes());
                scales[g * count + j] = d;
                minima[g * count + j] = hasMinimum() ? half(row, g * type.blockBytes() + 2) : -8 * d;
            }
        }
        NativeMemory.write(copy, scales, 0, scales.length);
        NativeMemory.write(minima(slice, copy), minima, 0, minima.length);
        NativeMemory.write(numbers(slice, copy), numbers, 0, numbers.length);
        return true;
    }

    private boolean hasMinimum() {
        return type == BlockType.Q4_1;
    }

    /** Puts the 32 numbers of a block into column {@code j}. */
    private void unpack(byte[] row, int group, byte[] numbers, int j, int count) {
        int at = group * type.blockBytes() + (hasMinimum() ? 4 : 2);
        int shift = (j & 1) * 4;
        for (int i = 0; i < HALF; i++) {
            int first = ((group * GROUP + i) * count + j) / 2;
            int second = ((group * GROUP + HALF + i) * count + j) / 2;
            numbers[first] |= (byte) ((row[at + i] & LOW) << shift);
            numbers[second] |= (byte) ((row[at + i] >> 4 & LOW) << shift);
        }
    }

    private static float half(byte[] bytes, int at) {
        return Float16.toFloat((short) (bytes[at] & 255 | bytes[at + 1] << 8));
    }

    @Override
    void multiply(ThreadContext lane, int slice, long copy, Span x, int rows, int padded, Span y, boolean accumulate) {
        int count = count(slice);
        Span result = Span.scratch(lane, DataType.FLOAT, (long) padded * count);
        Vectors.required(lane, new FourBitSpec(padded, columns(), count))
                .run(lane, x.address(), numbers(slice, copy), result.address(), copy);
        PlainProduct.run(lane, new MatmulSpec(Operand.rows(DataType.FLOAT, groups), Operand.rows(DataType.FLOAT, count),
                Operand.rows(DataType.FLOAT, count), padded, groups, count, 1f, true), sums(lane, x, padded).address(),
                minima(slice, copy), result.address());
        float[] row = lane.floats(ROW, count);
        float[] old = lane.floats(OLD, count);
        for (int i = 0; i < rows; i++) {
            Span target = y.from((long) i * rows() + first(slice));
            NativeMemory.read(result.from((long) i * count).address(), row, 0, count);
            if (accumulate) {
                OneDnnElements.read(lane, target, old, count);
                for (int j = 0; j < count; j++) {
                    row[j] += old[j];
                }
            }
            OneDnnElements.write(lane, row, target, count);
        }
    }

    /** The sums of x over blocks, [padded, groups]. */
    private Span sums(ThreadContext lane, Span x, int padded) {
        int length = padded * columns();
        float[] values = lane.floats(ROW, length);
        float[] sums = lane.floats(SUMS, padded * groups);
        NativeMemory.read(x.address(), values, 0, length);
        for (int g = 0; g < padded * groups; g++) {
            float sum = 0;
            for (int i = g * GROUP; i < (g + 1) * GROUP; i++) {
                sum += values[i];
            }
            sums[g] = sum;
        }
        Span to = Span.scratch(lane, DataType.FLOAT, (long) padded * groups);
        NativeMemory.write(to.address(), sums, 0, padded * groups);
        return to;
    }

    /**
     * {@code c = a (s q)} with a [m, k] and c [m, n] FLOAT, q [k, n] of unsigned 4-bit numbers, two of a row in a byte,
     * the first in its lower half, and a scale s for each {@value #GROUP} rows of a column, [k / {@value #GROUP}, n]
     * FLOAT. Arguments of the call: a, q, c, s.
     */
    private record FourBitSpec(int m, int k, int n) implements PrimitiveSpec {
        private static final int EACH_ROW_AND_COLUMN = 3;

        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            primitive_attr attributes = PrimitiveSpec.attributes();
            // Without this the 4-bit numbers would make it a product of integers.
            attributes.set_fpmath_mode(fpmath_mode.strict, true);
            attributes.set_scales(DNNL_ARG_WEIGHTS, EACH_ROW_AND_COLUMN, new long[] {GROUP, 1}, memory.data_type.f32,
                    false,
                    quantization_mode.static_sazp);
            memory.desc a = PrimitiveSpec.matrix(DataType.FLOAT, m, k);
            memory.desc q = new memory.desc(new long[] {k, n}, memory.data_type.u4, new long[] {n, 1});
            memory.desc c = PrimitiveSpec.matrix(DataType.FLOAT, m, n);
            matmul.primitive_desc description = new matmul.primitive_desc(lane.engine(), a, q, c, attributes, true);
            return PrimitiveSpec.assemble(lane, this, description, () -> new matmul(description),
                    new Argument(DNNL_ARG_SRC, a),
                    new Argument(DNNL_ARG_WEIGHTS, q), new Argument(DNNL_ARG_DST, c),
                    new Argument(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
                            PrimitiveSpec.matrix(DataType.FLOAT, k / GROUP, n)));
        }
    }
}
