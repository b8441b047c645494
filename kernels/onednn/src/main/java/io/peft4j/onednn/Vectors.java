package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_0;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.dnnl_binary_mul;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.UnarySpec.Function;
import java.util.Optional;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Elementwise operations of one thread on vectors of any length and types. A vector is cut into pieces whose lengths
 * are powers of two, so that few primitives serve all lengths; the rest below the smallest piece is padded in scratch
 * memory. Where oneDNN has nothing for the types, the work is done in f32.
 */
final class Vectors {
    /** Several such vectors lie in the second-level cache. */
    static final int LARGEST = 1 << 15;
    private static final int SMALLEST = 1 << 9;
    /** The slot of heap arrays that conversions use; operations use the others. */
    private static final int CONVERSION = 0;
    private static final float[] ONE = {1f};

    private Vectors() {
    }

    /** Something done to each piece of a vector. */
    @FunctionalInterface
    private interface Piece {
        void run(int first, int length);
    }

    private static void pieces(int count, Piece piece) {
        int done = 0;
        for (; count - done >= LARGEST; done += LARGEST) {
            piece.run(done, LARGEST);
        }
        for (int length = LARGEST / 2; length >= SMALLEST; length /= 2) {
            if (count - done >= length) {
                piece.run(done, length);
                done += length;
            }
        }
        if (done < count) {
            piece.run(done, count - done);
        }
    }

    /** Copies and converts elements, shared among the threads. */
    static void convert(ThreadTeam team, Span from, Span to, long length) {
        int size = 1 << 16;
        team.run(Math.toIntExact((length + size - 1) / size), (lane, task) -> {
            long first = (long) task * size;
            convert(lane, from.from(first), to.from(first), (int) Math.min(size, length - first));
        });
    }

    /** Copies and converts {@code count} elements. */
    static void convert(ThreadContext lane, Span from, Span to, int count) {
        if (from.type() == to.type()) {
            NativeMemory.copy(from.address(), to.address(), (long) count * Arrays.bytes(from.type()));
            return;
        }
        pieces(count, (first, length) -> {
            Span source = from.from(first);
            Span target = to.from(first);
            Optional<CompiledCall> call = length < SMALLEST ? Optional.empty()
                    : lane.call(CopySpec.convert(from.type(), to.type(), length));
            if (call.isPresent()) {
                call.get().run(lane, source.address(), target.address());
            } else {
                convertInJava(lane, source, target, length);
            }
        });
    }

    private static void convertInJava(ThreadContext lane, Span from, Span to, int count) {
        float[] floats = lane.floats(CONVERSION, count);
        short[] shorts = lane.shorts(count);
        if (from.isFloat()) {
            NativeMemory.read(from.address(), floats, 0, count);
            BFloat16.fromFloats(floats, 0, shorts, 0, count);
            NativeMemory.write(to.address(), shorts, 0, count);
        } else {
            NativeMemory.read(from.address(), shorts, 0, count);
            BFloat16.toFloats(shorts, 0, floats, 0, count);
            NativeMemory.write(to.address(), floats, 0, count);
        }
    }

    /** Copies and converts strided rows; row by row where oneDNN has no fast copy between the types. */
    static void copy(ThreadContext lane, CopySpec spec, Span from, Span to) {
        Optional<CompiledCall> call = lane.call(spec);
        if (call.isPresent()) {
            call.get().run(lane, from.address(), to.address());
            return;
        }
        for (int i = 0; i < spec.matrices(); i++) {
            for (int j = 0; j < spec.rows(); j++) {
                convert(lane, from.from((long) i * spec.fromMatrix() + (long) j * spec.fromRow()),
                        to.from((long) i * spec.toMatrix() + (long) j * spec.toRow()), spec.columns());
            }
        }
    }

    /** The elements as FLOAT: themselves, or a converted copy in scratch memory. */
    static Span widened(ThreadContext lane, Span x, int count) {
        if (x.isFloat()) {
            return x;
        }
        Span wide = Span.scratch(lane, DataType.FLOAT, count);
        convert(lane, x, wide, count);
        return wide;
    }

    /** {@code y = a op b (+ y)}; y may be a or b. */
    static void binary(ThreadContext lane, Operator operator, Span a, Span b, Span y, boolean accumulate, int count) {
        if (a.type() != y.type() && b.type() == y.type() && operator != Operator.SUBTRACT) {
            binary(lane, operator, b, a, y, accumulate, count);
            return;
        }
        pieces(count, (first, length) -> {
            long mark = lane.scratch().mark();
            binaryPiece(lane, operator, a.from(first), b.from(first), y.from(first), accumulate, length);
            lane.scratch().release(mark);
        });
    }

    private static void binaryPiece(ThreadContext lane, Operator operator, Span a, Span b, Span y, boolean accumulate,
            int count) {
        if (count < SMALLEST) {
            Span result = padded(lane, y, count);
            binaryPiece(lane, operator, padded(lane, a, count), padded(lane, b, count), result, accumulate, SMALLEST);
            convert(lane, result, y, count);
            return;
        }
        Optional<CompiledCall> call = a.type() != y.type() ? Optional.empty() : lane.call(
                new BinarySpec(operator, a.type(), b.type(), BinarySpec.Shape.FULL, 1, count, accumulate));
        if (call.isPresent()) {
            call.get().run(lane, a.address(), b.address(), y.address());
            return;
        }
        Span wideA = widened(lane, a, count);
        Span wideB = widened(lane, b, count);
        Span wideY = result(lane, y, accumulate, count);
        required(lane, new BinarySpec(operator, DataType.FLOAT, DataType.FLOAT, BinarySpec.Shape.FULL, 1, count,
                accumulate)).run(lane, wideA.address(), wideB.address(), wideY.address());
        deliver(lane, wideY, y, count);
    }

    /** {@code y = alpha * x (+ y)}; y may be x. */
    static void scale(ThreadContext lane, Span x, float alpha, Span y, boolean accumulate, int count) {
        if (!accumulate) {
            unary(lane, Function.linear(alpha), x, y, count);
            return;
        }
        pieces(count, (first, length) -> {
            long mark = lane.scratch().mark();
            Span product = Span.scratch(lane, DataType.FLOAT, length);
            unary(lane, Function.linear(alpha), x.from(first), product, length);
            binary(lane, Operator.ADD, y.from(first), product, y.from(first), false, length);
            lane.scratch().release(mark);
        });
    }

    /** {@code y = f(x)}; y may be x. */
    static void unary(ThreadContext lane, Function function, Span x, Span y, int count) {
        pieces(count, (first, length) -> {
            long mark = lane.scratch().mark();
            unaryPiece(lane, function, x.from(first), y.from(first), length);
            lane.scratch().release(mark);
        });
    }

    private static void unaryPiece(ThreadContext lane, Function function, Span x, Span y, int count) {
        if (count < SMALLEST) {
            Span result = Span.scratch(lane, y.type(), SMALLEST);
            unaryPiece(lane, function, padded(lane, x, count), result, SMALLEST);
            convert(lane, result, y, count);
            return;
        }
        Optional<CompiledCall> call = x.type() != y.type() ? Optional.empty()
                : lane.call(new UnarySpec(function, false, x.type(), count));
        if (call.isPresent()) {
            call.get().run(lane, x.address(), y.address());
            return;
        }
        Span wideX = widened(lane, x, count);
        Span wideY = result(lane, y, false, count);
        required(lane, new UnarySpec(function, false, DataType.FLOAT, count))
                .run(lane, wideX.address(), wideY.address());
        deliver(lane, wideY, y, count);
    }

    /** {@code dx = dy * f'(x)}; dx may be dy. */
    static void unaryBackward(ThreadContext lane, Function function, Span x, Span dy, Span dx, int count) {
        pieces(count, (first, length) -> {
            long mark = lane.scratch().mark();
            Span read = x.from(first);
            if (function.hasBoundedGradient()) {
                Span bounded = Span.scratch(lane, x.type(), length);
                unary(lane, Function.BOUND, read, bounded, length);
                read = bounded;
            }
            unaryBackwardPiece(lane, function, read, dy.from(first), dx.from(first), length);
            lane.scratch().release(mark);
        });
    }

    private static void unaryBackwardPiece(ThreadContext lane, Function function, Span x, Span dy, Span dx, int count) {
        if (count < SMALLEST) {
            Span result = Span.scratch(lane, dx.type(), SMALLEST);
            unaryBackwardPiece(lane, function, padded(lane, x, count), padded(lane, dy, count), result, SMALLEST);
            convert(lane, result, dx, count);
            return;
        }
        Optional<CompiledCall> call = x.type() != dy.type() || x.type() != dx.type() ? Optional.empty()
                : lane.call(new UnarySpec(function, true, x.type(), count));
        if (call.isPresent()) {
            call.get().run(lane, x.address(), dy.address(), dx.address());
            return;
        }
        Span wideX = widened(lane, x, count);
        Span wideDy = widened(lane, dy, count);
        Span wideDx = result(lane, dx, false, count);
        required(lane, new UnarySpec(function, true, DataType.FLOAT, count))
                .run(lane, wideX.address(), wideDy.address(), wideDx.address());
        deliver(lane, wideDx, dx, count);
    }

    /** {@code y = f(x) * b}; y may be x or b. */
    static void gate(ThreadContext lane, Function function, Span x, Span b, Span y, int count) {
        pieces(count, (first, length) -> {
            long mark = lane.scratch().mark();
            gatePiece(lane, function, x.from(first), b.from(first), y.from(first), length);
            lane.scratch().release(mark);
        });
    }

    private static void gatePiece(ThreadContext lane, Function function, Span x, Span b, Span y, int count) {
        boolean alike = count >= SMALLEST && x.type() == b.type() && x.type() == y.type();
        Optional<CompiledCall> call = alike ? lane.call(new GateSpec(function, x.type(), count)) : Optional.empty();
        if (call.isPresent()) {
            Span one = Span.scratch(lane, DataType.FLOAT, 1);
            NativeMemory.write(one.address(), ONE, 0, 1);
            call.get().run(lane, x.address(), one.address(), b.address(), y.address());
            return;
        }
        Span activated = Span.scratch(lane, x.type(), count);
        unary(lane, function, x, activated, count);
        binary(lane, Operator.MULTIPLY, activated, b, y, false, count);
    }

    private static Span padded(ThreadContext lane, Span x, int count) {
        Span copy = Span.scratch(lane, x.type(), SMALLEST);
        NativeMemory.clear(copy.address(), (long) SMALLEST * Arrays.bytes(x.type()));
        convert(lane, x, copy, count);
        return copy;
    }

    /** Where to compute a result in f32: in y itself, or in scratch memory that holds y's values if they are needed. */
    static Span result(ThreadContext lane, Span y, boolean accumulate, int count) {
        return y.isFloat() || accumulate ? widened(lane, y, count) : Span.scratch(lane, DataType.FLOAT, count);
    }

    /** Writes what was computed in f32 to y, unless it was computed there. */
    static void deliver(ThreadContext lane, Span computed, Span y, int count) {
        if (computed.address() != y.address()) {
            convert(lane, computed, y, count);
        }
    }

    /** A call that every processor with AVX2 has. */
    static CompiledCall required(ThreadContext lane, PrimitiveSpec spec) {
        return lane.call(spec).orElseThrow(() -> new IllegalStateException(
                "this build of oneDNN has no fast implementation of " + spec));
    }

    /**
     * {@code y = f(x) * b} for vectors of one type in one pass. A function of an element has no fast implementation
     * with another operand; a product has one with a function and a second product after it, so that x is multiplied
     * with a number first, which is 1. Arguments of the call: x, the number (FLOAT), b, y.
     */
    private record GateSpec(Function function, DataType type, int length) implements PrimitiveSpec {
        /** The argument of the operation that comes second after the primitive's own. */
        private static final int SECOND = 2 * DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | DNNL_ARG_SRC_1;

        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            memory.desc vector = PrimitiveSpec.matrix(type, 1, length);
            memory.desc number = PrimitiveSpec.matrix(DataType.FLOAT, 1, 1);
            post_ops operations = new post_ops();
            operations.append_eltwise(function.algorithm(), function.alpha(), 0f);
            operations.append_binary(dnnl_binary_mul, vector);
            primitive_attr attributes = PrimitiveSpec.attributes();
            attributes.set_post_ops(operations);
            binary.primitive_desc description = new binary.primitive_desc(lane.engine(), dnnl_binary_mul, vector,
                    number,
                    vector, attributes, true);
            return PrimitiveSpec.assemble(lane, this, description, () -> new binary(description),
                    new Argument(DNNL_ARG_SRC_0, vector), new Argument(DNNL_ARG_SRC_1, number),
                    new Argument(SECOND, vector), new Argument(DNNL_ARG_DST, vector));
        }
    }
}
