package io.peft4j.onednn;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.ActivationLoops;
import io.peft4j.core.kernel.CheckedKernels;
import io.peft4j.core.kernel.KernelGroups;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.core.kernel.SequenceLoops;
import io.peft4j.core.kernel.UpdateLoops;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.OneDnnElements.Part;
import io.peft4j.onednn.UnarySpec.Function;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.nd4j.linalg.api.ndarray.INDArray;

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

    /** Activations by oneDNN; what it does not have, and arrays of a step of generation, in loops over heap tiles. */
    private static final class OneDnnActivations extends ActivationLoops {
        private final ThreadTeam team;

        OneDnnActivations(ThreadTeam team) {
            super(team.workers());
            this.team = team;
        }

        private boolean inHeap(Activation f, long length) {
            return !Function.has(f) || OneDnnElements.areFew(length) && team.caller().loops().vectorized();
        }

        @Override
        public void activate(Activation f, INDArray x, INDArray y) {
            if (inHeap(f, y.length())) {
                super.activate(f, x, y);
                return;
            }
            Function function = Function.of(f);
            Span xs = Span.of(x);
            Span ys = Span.of(y);
            share(y.length(),
                    (lane, first, count) -> Vectors.unary(lane, function, xs.from(first), ys.from(first), count));
        }

        @Override
        public void activateBackward(Activation f, INDArray dy, INDArray x, INDArray dx, boolean accumulate) {
            if (!Function.has(f)) {
                super.activateBackward(f, dy, x, dx, accumulate);
                return;
            }
            Function function = Function.of(f);
            Span dys = Span.of(dy);
            Span xs = Span.of(x);
            Span dxs = Span.of(dx);
            share(dx.length(), (lane, first, count) -> {
                if (accumulate) {
                    Span product = Span.scratch(lane, dy.dataType(), count);
                    Vectors.unaryBackward(lane, function, xs.from(first), dys.from(first), product, count);
                    Vectors.binary(lane, Operator.ADD, dxs.from(first), product, dxs.from(first), false, count);
                } else {
                    Vectors.unaryBackward(lane, function, xs.from(first), dys.from(first), dxs.from(first), count);
                }
            });
        }

        @Override
        public void gated(Activation f, INDArray gate, INDArray up, INDArray y) {
            Span gates = Span.of(gate);
            Span ups = Span.of(up);
            Span ys = Span.of(y);
            if (inHeap(f, y.length())) {
                if (f == Activation.SILU) {
                    team.alone((lane, unused) -> siluMultiply(lane, gates, ups, ys, (int) y.length()));
                } else {
                    super.gated(f, gate, up, y);
                }
                return;
            }
            Function function = Function.of(f);
            share(y.length(), (lane, first, count) -> Vectors.gate(lane, function, gates.from(first), ups.from(first),
                    ys.from(first), count));
        }

        private static void siluMultiply(ThreadContext lane, Span gate, Span up, Span y, int count) {
            float[] g = lane.floats(1, count);
            float[] u = lane.floats(2, count);
            OneDnnElements.read(lane, gate, g, count);
            OneDnnElements.read(lane, up, u, count);
            lane.loops().siluMultiply(g, u, u, 0, count);
            OneDnnElements.write(lane, u, y, count);
        }

        // dUp = dy * f(gate), dGate = dy * up * f'(gate)
        @Override
        public void gatedBackward(Activation f, INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
            if (!Function.has(f)) {
                super.gatedBackward(f, dy, gate, up, dGate, dUp);
                return;
            }
            Function function = Function.of(f);
            Span dys = Span.of(dy);
            Span gates = Span.of(gate);
            Span ups = Span.of(up);
            Span dGates = Span.of(dGate);
            Span dUps = Span.of(dUp);
            share(dy.length(), (lane, first, count) -> {
                Span x = gates.from(first);
                Span product = Span.scratch(lane, gates.type(), count);
                Vectors.binary(lane, Operator.MULTIPLY, dys.from(first), ups.from(first), product, false, count);
                Vectors.gate(lane, function, x, dys.from(first), dUps.from(first), count);
                if (dGates.type() == gates.type()) {
                    Vectors.unaryBackward(lane, function, x, product, dGates.from(first), count);
                } else {
                    Vectors.unaryBackward(lane, function, x, product, product, count);
                    Vectors.convert(lane, product, dGates.from(first), count);
                }
            });
        }

        @Override
        public void softCap(INDArray x, float cap, INDArray y) {
            Span xs = Span.of(x);
            Span ys = Span.of(y);
            share(y.length(), (lane, first, count) -> {
                Span t = Vectors.result(lane, ys.from(first), false, count);
                Vectors.scale(lane, xs.from(first), 1 / cap, t, false, count);
                Vectors.unary(lane, Function.TANH, t, t, count);
                Vectors.scale(lane, t, cap, ys.from(first), false, count);
            });
        }

        /** Shares a vector among the threads, in pieces of which several fit into the second-level cache. */
        private void share(long length, Part part) {
            OneDnnElements.share(team, length, (lane, from, all) -> {
                for (int done = 0; done < all; done += Vectors.LARGEST) {
                    long mark = lane.scratch().mark();
                    part.run(lane, from + done, Math.min(Vectors.LARGEST, all - done));
                    lane.scratch().release(mark);
                }
            });
        }
    }
}
