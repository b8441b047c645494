package io.peft4j.core.kernel.internal;

import io.peft4j.core.kernel.DropoutMask;
import io.peft4j.core.kernel.ElementwiseKernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The elementwise operations of {@link Nd4jKernels}: tiles are copied to the heap, computed and copied back. */
final class ElementwiseLoops implements ElementwiseKernels {
    private final Workers<ThreadScratch> workers;

    ElementwiseLoops(Workers<ThreadScratch> workers) {
        this.workers = workers;
    }

    @Override
    public void add(INDArray a, INDArray b, INDArray y) {
        Elements as = Elements.of(a);
        Elements bs = Elements.of(b);
        Elements ys = Elements.of(y);
        Elements.forTiles(workers, a.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            float[] v = lane.tile(1);
            as.read(first, u, count, lane);
            bs.read(first, v, count, lane);
            RowMath.add(u, v, count);
            ys.write(first, u, count, lane);
        });
    }

    @Override
    public void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate) {
        Elements as = Elements.of(a);
        Elements bs = Elements.of(b);
        Elements ys = Elements.of(y);
        Elements.forTiles(workers, a.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            float[] v = lane.tile(1);
            as.read(first, u, count, lane);
            bs.read(first, v, count, lane);
            RowMath.multiply(u, v, count);
            ys.write(first, u, count, accumulate, lane, 2);
        });
    }

    @Override
    public void scale(INDArray x, float alpha, INDArray y, boolean accumulate) {
        Elements xs = Elements.of(x);
        Elements ys = Elements.of(y);
        Elements.forTiles(workers, x.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            xs.read(first, u, count, lane);
            if (alpha != 1) {
                RowMath.scale(u, alpha, 0, count);
            }
            ys.write(first, u, count, accumulate, lane, 1);
        });
    }

    @Override
    public void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate) {
        Elements xs = Elements.of(x);
        Elements ys = Elements.of(y);
        Elements.forTiles(workers, x.length(), (first, count, lane) -> {
            float[] u = lane.tile(0);
            xs.read(first, u, count, lane);
            DropoutMask.apply(u, count, seed, first, p, lane.longs(DropoutMask.TILE));
            ys.write(first, u, count, accumulate, lane, 1);
        });
    }
}
