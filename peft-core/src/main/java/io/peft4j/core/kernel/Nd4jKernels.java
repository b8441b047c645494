package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Portable kernels for any processor that ND4J runs on: matrix products by the OpenBLAS that ND4J brings, everything
 * else in plain Java loops over heap tiles, which the JIT compiler vectorizes. Computes in f32; other types are
 * converted a tile at a time.
 *
 * <p>The same bits whatever the number of threads. OpenBLAS is set to one thread for the whole process, because these
 * kernels cut products up themselves; ND4J's own products and decompositions run on one thread from then on.
 */
@Internal
public final class Nd4jKernels extends CheckedKernels {
    private final Parts parts;

    /**
     * Kernels with their own worker threads and scratch memory.
     *
     * @param threads threads that compute, the calling one among them
     */
    public Nd4jKernels(int threads) {
        this(new Parts(threads));
    }

    private Nd4jKernels(Parts parts) {
        super("nd4j", parts.groups());
        this.parts = parts;
    }

    @Override
    public Map<String, String> identity() {
        return Map.of("kernels", name(), "loops", parts.workers.caller().loops().name());
    }

    /** Ends the worker threads and frees the scratch memory. */
    @Override
    public void close() {
        parts.workers.close();
        parts.products.close();
        parts.attention.close();
    }

    private static final class Parts {
        private final Workers<ThreadScratch> workers;
        private final MatrixProducts products;
        private final BlockAttention attention;

        Parts(int threads) {
            Blas.loadOnOneThread();
            workers = new Workers<>(threads, "peft4j-kernels", ThreadScratch::new, () -> {
            });
            products = new MatrixProducts(workers);
            attention = new BlockAttention(workers);
        }

        KernelGroups groups() {
            RowLoops rows = new RowLoops(workers);
            return new KernelGroups(products, rows, new ElementwiseLoops(workers), new ActivationLoops(workers),
                    new ScalingKernels() {
                    }, rows, new LayerNormLoops(workers), rows, attention, new SequenceLoops(workers),
                    rows, new UpdateLoops(workers));
        }
    }

    /** The elementwise operations of {@link Nd4jKernels}: tiles are copied to the heap, computed and copied back. */
    private static final class ElementwiseLoops implements ElementwiseKernels {
        private final Workers<ThreadScratch> workers;

        ElementwiseLoops(Workers<ThreadScratch> workers) {
            this.workers = workers;
        }

        @Override
        public void add(INDArray a, INDArray b, INDArray y) {
            Elements.compute(workers, y, false,
                    (first, count, lane) -> RowMath.add(lane.tile(0), lane.tile(1), count), a, b);
        }

        @Override
        public void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate) {
            Elements.compute(workers, y, accumulate,
                    (first, count, lane) -> RowMath.multiply(lane.tile(0), lane.tile(1), count), a, b);
        }

        @Override
        public void scale(INDArray x, float alpha, INDArray y, boolean accumulate) {
            Elements.compute(workers, y, accumulate, (first, count, lane) -> {
                if (alpha != 1) {
                    RowMath.scale(lane.tile(0), alpha, 0, count);
                }
            }, x);
        }

        @Override
        public void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate) {
            Elements.compute(workers, y, accumulate, (first, count, lane) -> DropoutMask.apply(lane.tile(0), count,
                    seed, first, p, lane.longs(DropoutMask.TILE)), x);
        }
    }
}
