package io.peft4j.onednn;

import io.peft4j.core.kernel.CheckedKernels;
import io.peft4j.core.kernel.KernelGroups;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.core.kernel.SequenceLoops;
import io.peft4j.core.kernel.UpdateLoops;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Map;
import org.bytedeco.dnnl.engine;

/**
 * Kernels that run oneDNN's primitives (<a href="https://github.com/uxlfoundation/oneDNN">uxlfoundation/oneDNN</a>) on
 * processors with AVX2 or more. bf16 activations are multiplied in bf16 with f32 sums where the processor is faster
 * that way, otherwise in f32 ({@link BFloat16Products}).
 *
 * <p>An operation is cut into tasks for a few threads ({@link ThreadTeam}); a task runs primitives that are compiled
 * once for each shape and kept ({@link ThreadContext#call}). oneDNN never refuses a primitive but may offer a reference
 * implementation, a thousand times slower: such are never run, and the work is done in f32 or in a loop of our own
 * instead.
 *
 * <p>Kernels {@linkplain #forGeneration for generation} keep copies of frozen weights ({@link PackedProducts}) that
 * take at most a third of the memory that the process may use ({@link ProcessUsage#memoryLimitBytes}).
 *
 * <p>Products of fewer than 64 rows give the same bits on any number of threads, others may differ in the last ones.
 */
public final class OneDnnKernels extends CheckedKernels {
    private static final String NAME = "onednn";
    private static final int PACKED_SHARE = 3;

    private final Parts parts;
    private final Kernels forSingleRows;
    private final Kernels forBatches;

    /**
     * Kernels with the given number of threads, the caller's included. Whether bf16 is multiplied as it is or in f32
     * is found out by a measurement of a few milliseconds; {@code -Dpeft4j.onednn.bf16=multiply} or {@code widen}
     * forces it.
     *
     * @throws IllegalStateException when oneDNN does not run here; {@link OneDnnKernelProvider#available} tells
     * @throws io.peft4j.core.error.ConfigurationException when the system property has another value
     */
    public OneDnnKernels(int threads) {
        this(threads, BFloat16Products.asked());
    }

    /**
     * Kernels that compute products of bf16 in a given way.
     *
     * @param bfloat16Way a value of the system property {@link BFloat16Products#PROPERTY}
     */
    OneDnnKernels(int threads, String bfloat16Way) {
        this(threads, bfloat16Way, ProcessUsage.memoryLimitBytes() / PACKED_SHARE);
    }

    /** @param packedBytes the most bytes that copies of frozen weights take */
    OneDnnKernels(int threads, String bfloat16Way, long packedBytes) {
        this(new Parts(threads, bfloat16Way, packedBytes));
    }

    private OneDnnKernels(Parts parts) {
        super(NAME, parts.groups);
        this.parts = parts;
        this.forSingleRows = new ForGeneration(false);
        this.forBatches = new ForGeneration(true);
    }

    @Override
    public Map<String, String> identity() {
        // Gradients are sums over as many groups of rows as there are threads.
        return Map.of("kernels", name(), "threads", String.valueOf(parts.team.size()), "loops",
                parts.team.caller().loops().name(), BF16_PRODUCTS, parts.bfloat16.toString(), PROCESSOR,
                DnnlLibrary.describe());
    }

    @Override
    public BFloat16Speed bfloat16Speed() {
        return parts.bfloat16.speed();
    }

    @Override
    public Kernels forGeneration(int rows) {
        return rows < PackedProducts.FEWEST_BFLOAT16_ROWS ? forSingleRows : forBatches;
    }

    @Override
    public void forget(FrozenWeight weight) {
        parts.packed.forget(weight);
    }

    /** The bytes that copies of frozen weights take now. */
    public long packedBytes() {
        return parts.packed.bytes();
    }

    @Override
    public void close() {
        parts.packed.close();
        parts.team.close();
        parts.processor.deallocate();
    }

    private final class ForGeneration extends CheckedKernels {
        ForGeneration(boolean batches) {
            super(NAME, parts.groups.with(new OneDnnMatrices.ForGeneration(parts.team, parts.bfloat16, parts.packed,
                    batches)));
        }

        @Override
        public Map<String, String> identity() {
            return OneDnnKernels.this.identity();
        }

        @Override
        public BFloat16Speed bfloat16Speed() {
            return OneDnnKernels.this.bfloat16Speed();
        }

        @Override
        public void forget(FrozenWeight weight) {
            OneDnnKernels.this.forget(weight);
        }

        @Override
        public void close() {
            OneDnnKernels.this.close();
        }
    }

    private static final class Parts {
        private final engine processor;
        private final ThreadTeam team;
        private final BFloat16Products bfloat16;
        private final PackedProducts packed;
        private final KernelGroups groups;

        Parts(int threads, String bfloat16Way, long packedBytes) {
            DnnlLibrary.obstacle().ifPresent(reason -> {
                throw new IllegalStateException("oneDNN does not run on this machine: " + reason);
            });
            processor = new engine(engine.kind.cpu, 0);
            team = new ThreadTeam(threads, processor);
            bfloat16 = BFloat16Products.choose(team, bfloat16Way);
            packed = new PackedProducts(team, bfloat16, packedBytes);
            groups = new KernelGroups(new OneDnnMatrices(team, bfloat16), new OneDnnRows(team),
                    new OneDnnElements(team), new OneDnnActivations(team), new OneDnnScaling(team),
                    new OneDnnNorms(team), new OneDnnLayerNorm(team), new OneDnnRotary(team),
                    new OneDnnAttention(team, bfloat16), new SequenceLoops(team.workers()), new OneDnnLosses(team),
                    new UpdateLoops(team.workers()));
        }
    }
}
