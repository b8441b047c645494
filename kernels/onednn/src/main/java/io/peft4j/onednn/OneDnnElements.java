package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.DropoutMask;
import io.peft4j.core.kernel.ElementwiseKernels;
import io.peft4j.onednn.BinarySpec.Operator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations on elements that do not see each other. */
final class OneDnnElements implements ElementwiseKernels {
    /** Elements below which a second thread does not pay. */
    private static final int SMALLEST_SHARE = 1 << 10;
    /** Elements that are in the first-level cache together with a few others. */
    static final int TILE = 1 << 12;

    private static final int FEW = 1 << 11;

    private final ThreadTeam team;

    OneDnnElements(ThreadTeam team) {
        this.team = team;
    }

    @FunctionalInterface
    interface Part {
        void run(ThreadContext lane, long first, int count);
    }

    private void share(long length, Part part) {
        share(team, length, part);
    }

    /** Shares a vector among the threads. */
    static void share(ThreadTeam team, long length, Part part) {
        long perTask = (length + team.size() - 1) / team.size();
        perTask = (perTask + SMALLEST_SHARE - 1) / SMALLEST_SHARE * SMALLEST_SHARE;
        perTask = Math.min(perTask, 1 << 30);
        long size = perTask;
        team.run(Math.toIntExact((length + size - 1) / size), (lane, task) -> {
            long first = task * size;
            part.run(lane, first, (int) Math.min(size, length - first));
        });
    }

    @Override
    public void add(INDArray a, INDArray b, INDArray y) {
        if (areFew(y.length())) {
            team.alone((lane, unused) -> addInHeap(lane, Span.of(a), Span.of(b), Span.of(y), (int) y.length()));
        } else {
            binary(Operator.ADD, a, b, y, false);
        }
    }

    @Override
    public void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate) {
        binary(Operator.MULTIPLY, a, b, y, accumulate);
    }

    private void binary(Operator operator, INDArray a, INDArray b, INDArray y, boolean accumulate) {
        Span as = Span.of(a);
        Span bs = Span.of(b);
        Span ys = Span.of(y);
        share(y.length(), (lane, first, count) -> Vectors.binary(lane, operator, as.from(first), bs.from(first),
                ys.from(first), accumulate, count));
    }

    @Override
    public void scale(INDArray x, float alpha, INDArray y, boolean accumulate) {
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        share(y.length(), (lane, first, count) -> {
            if (alpha == 1f && !accumulate) {
                Vectors.convert(lane, xs.from(first), ys.from(first), count);
            } else {
                Vectors.scale(lane, xs.from(first), alpha, ys.from(first), accumulate, count);
            }
        });
    }

    /**
     * Whether an array is as small as in a step of generation, where a dozen calls of primitives on its pieces cost ten
     * times as much as a plain loop.
     */
    static boolean areFew(long length) {
        return length <= FEW;
    }

    private static void addInHeap(ThreadContext lane, Span a, Span b, Span y, int count) {
        float[] u = lane.floats(1, count);
        float[] v = lane.floats(2, count);
        read(lane, a, u, count);
        read(lane, b, v, count);
        OneDnnRows.add(v, u, count);
        write(lane, u, y, count);
    }

    @Override
    public void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate) {
        share(y.length(), (lane, from, all) -> {
            float[] values = lane.floats(1, TILE);
            float[] old = lane.floats(2, TILE);
            for (int done = 0; done < all; done += TILE) {
                int count = Math.min(TILE, all - done);
                long first = from + done;
                read(lane, Span.of(x).from(first), values, count);
                DropoutMask.apply(values, count, seed, first, p, lane.longs(DropoutMask.TILE));
                if (accumulate) {
                    read(lane, Span.of(y).from(first), old, count);
                    for (int i = 0; i < count; i++) {
                        values[i] += old[i];
                    }
                }
                write(lane, values, Span.of(y).from(first), count);
            }
        });
    }

    /** Reads elements as floats into a heap array. */
    static void read(ThreadContext lane, Span from, float[] to, int count) {
        if (!from.isFloat() && lane.loops().vectorized()) {
            short[] bits = lane.shorts(count);
            NativeMemory.read(from.address(), bits, 0, count);
            lane.loops().widen(bits, to, count);
            return;
        }
        long mark = lane.scratch().mark();
        NativeMemory.read(Vectors.widened(lane, from, count).address(), to, 0, count);
        lane.scratch().release(mark);
    }

    /** Writes floats of a heap array, rounded to the type of {@code to}. */
    static void write(ThreadContext lane, float[] from, Span to, int count) {
        if (to.isFloat()) {
            NativeMemory.write(to.address(), from, 0, count);
            return;
        }
        if (lane.loops().vectorized()) {
            short[] bits = lane.shorts(count);
            lane.loops().narrow(from, bits, count);
            NativeMemory.write(to.address(), bits, 0, count);
            return;
        }
        long mark = lane.scratch().mark();
        Span wide = Span.scratch(lane, DataType.FLOAT, count);
        NativeMemory.write(wide.address(), from, 0, count);
        Vectors.convert(lane, wide, to, count);
        lane.scratch().release(mark);
    }
}
