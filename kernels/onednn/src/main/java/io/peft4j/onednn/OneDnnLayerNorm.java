package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_MEAN;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_VARIANCE;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_scale;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_shift;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.LayerNormKernels;
import io.peft4j.core.kernel.LayerNormLoops;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.RowSpec.Kind;
import java.util.Optional;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Layer norm by oneDNN; rows that are too narrow for it, and the few of a step of generation, in loops over heap
 * tiles.
 */
final class OneDnnLayerNorm implements LayerNormKernels {
    private final ThreadTeam team;
    private final LayerNormLoops loops;

    OneDnnLayerNorm(ThreadTeam team) {
        this.team = team;
        this.loops = new LayerNormLoops(team.workers());
    }

    private boolean inHeap(INDArray x) {
        return NarrowRows.areNarrow(Arrays.columns(x))
                || OneDnnElements.areFew(x.length()) && team.caller().loops().vectorized();
    }

    @Override
    public void layerNorm(INDArray x, INDArray weight, Optional<INDArray> bias, float epsilon, INDArray y,
            INDArray mean, INDArray rstd) {
        if (inHeap(x)) {
            loops.layerNorm(x, weight, bias, epsilon, y, mean, rstd);
            return;
        }
        int width = Arrays.columns(x);
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            Span zeros = Span.scratch(team.caller(), DataType.FLOAT, width);
            NativeMemory.clear(zeros.address(), (long) width * Float.BYTES);
            long shift = bias.map(Arrays::address).orElse(zeros.address());
            Span xs = Span.of(x);
            Span ys = Span.of(y);
            Span means = Span.of(mean);
            Span rstds = Span.of(rstd);
            RowBlocks.share(team, Arrays.rows(x), width, (lane, row, rows) -> {
                long start = lane.scratch().mark();
                long at = (long) row * width;
                // The variances, first.
                Span r = rstds.from(row);
                forward(lane, xs.from(at), Arrays.address(weight), shift, epsilon, ys.from(at), means.from(row), r,
                        rows, width);
                float[] values = lane.floats(1, rows);
                NativeMemory.read(r.address(), values, 0, rows);
                for (int i = 0; i < rows; i++) {
                    values[i] = (float) (1 / Math.sqrt((double) values[i] + epsilon));
                }
                NativeMemory.write(r.address(), values, 0, rows);
                lane.scratch().release(start);
            });
        }
    }

    private static void forward(ThreadContext lane, Span x, long weight, long bias, float epsilon, Span y, Span mean,
            Span variance, int rows, int width) {
        Optional<CompiledCall> call = lane.call(new LayerNormSpec(x.type(), y.type(), rows, width, epsilon));
        if (call.isPresent()) {
            call.get().run(lane, x.address(), weight, bias, y.address(), mean.address(), variance.address());
            return;
        }
        Span wideX = Vectors.widened(lane, x, rows * width);
        Span wideY = Vectors.result(lane, y, false, rows * width);
        Vectors.required(lane, new LayerNormSpec(DataType.FLOAT, DataType.FLOAT, rows, width, epsilon))
                .run(lane, wideX.address(), weight, bias, wideY.address(), mean.address(), variance.address());
        Vectors.deliver(lane, wideY, y, rows * width);
    }

    @Override
    public void layerNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray mean, INDArray rstd, INDArray dx,
            boolean accumulate) {
        if (inHeap(x)) {
            loops.layerNormBackward(dy, x, weight, mean, rstd, dx, accumulate);
            return;
        }
        int width = Arrays.columns(x);
        Span dys = Span.of(dy);
        Span xs = Span.of(x);
        Span dxs = Span.of(dx);
        Span means = Span.of(mean);
        float[] r = Arrays.toFloats(rstd);
        RowBlocks.share(team, r.length, width, (lane, row, rows) -> {
            long start = lane.scratch().mark();
            long at = (long) row * width;
            float[] variances = lane.floats(1, rows);
            for (int i = 0; i < rows; i++) {
                variances[i] = (float) (1 / ((double) r[row + i] * r[row + i]));
            }
            Span variance = Span.scratch(lane, DataType.FLOAT, rows);
            NativeMemory.write(variance.address(), variances, 0, rows);
            Span target = dxs.from(at);
            Span z = accumulate ? Span.scratch(lane, DataType.FLOAT, (long) rows * width) : target;
            backward(lane, xs.from(at), dys.from(at), Arrays.address(weight), means.from(row), variance, z, rows,
                    width);
            if (accumulate) {
                Vectors.binary(lane, Operator.ADD, target, z, target, false, rows * width);
            }
            lane.scratch().release(start);
        });
    }

    private static void backward(ThreadContext lane, Span x, Span dy, long weight, Span mean, Span variance, Span dx,
            int rows,
            int width) {
        // It comes with the gradient of the weight.
        Span dw = Span.scratch(lane, DataType.FLOAT, width);
        Optional<CompiledCall> call = x.type() != dy.type() ? Optional.empty()
                : lane.call(RowSpec.of(Kind.LAYER_NORM_BACKWARD, x.type(), dx.type(), rows, width));
        if (call.isPresent()) {
            call.get().run(lane, x.address(), dy.address(), weight, mean.address(), variance.address(), dx.address(),
                    dw.address());
            return;
        }
        Span wideX = Vectors.widened(lane, x, rows * width);
        Span wideDy = Vectors.widened(lane, dy, rows * width);
        Span wideDx = Vectors.result(lane, dx, false, rows * width);
        Vectors.required(lane, RowSpec.of(Kind.LAYER_NORM_BACKWARD, DataType.FLOAT, DataType.FLOAT, rows, width))
                .run(lane, wideX.address(), wideDy.address(), weight, mean.address(), variance.address(),
                        wideDx.address(), dw.address());
        Vectors.deliver(lane, wideDx, dx, rows * width);
    }

    @Override
    public void layerNormWeightBackward(INDArray dy, INDArray x, INDArray mean, INDArray rstd, INDArray dw,
            Optional<INDArray> db) {
        loops.layerNormWeightBackward(dy, x, mean, rstd, dw, db);
    }

    /**
     * Layer norm of the rows of a dense matrix; its gradient is a {@link RowSpec}. Arguments of the call: x, weight,
     * bias, y, mean, variance: weight and bias are [columns], mean and variance [rows], FLOAT.
     *
     * @param from type of x
     * @param to type of y
     */
    private record LayerNormSpec(DataType from, DataType to, int rows, int columns,
            float epsilon) implements PrimitiveSpec {
        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            memory.desc x = PrimitiveSpec.matrix(from, rows, columns);
            memory.desc y = PrimitiveSpec.matrix(to, rows, columns);
            memory.desc ofColumns = PrimitiveSpec.vector(DataType.FLOAT, columns);
            memory.desc ofRows = PrimitiveSpec.vector(DataType.FLOAT, rows);
            layer_normalization_forward.primitive_desc description = new layer_normalization_forward.primitive_desc(
                    lane.engine(), dnnl_forward_training, x, y, epsilon, dnnl_use_scale | dnnl_use_shift,
                    PrimitiveSpec.attributes(), true);
            return PrimitiveSpec.assemble(lane, this, description, () -> new layer_normalization_forward(description),
                    new Argument(DNNL_ARG_SRC, x), new Argument(DNNL_ARG_SCALE, ofColumns),
                    new Argument(DNNL_ARG_SHIFT, ofColumns), new Argument(DNNL_ARG_DST, y),
                    new Argument(DNNL_ARG_MEAN, ofRows), new Argument(DNNL_ARG_VARIANCE, ofRows));
        }
    }
}
