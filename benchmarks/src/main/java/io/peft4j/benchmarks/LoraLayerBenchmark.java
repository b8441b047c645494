package io.peft4j.benchmarks;

import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.support.TrainingBenchmark;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One linear layer of 576 x 1536 with LoRA, forward and all gradients, on 4 x 128 tokens. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 3, time = 5)
@Fork(1)
public class LoraLayerBenchmark {
    /** r; 0 is the layer without an adapter. */
    @Param({"0", "16"})
    public int rank;

    private Workspace workspace;
    private ModelLease lease;
    private RandomModel base;
    private PeftModel model;
    private PackedBatch batch;
    private Slot slot;
    private INDArray x;
    private INDArray dx;
    private INDArray dy;

    /** Makes a model of one decoder layer. */
    @Setup
    public void model(KernelState state) {
        base = RandomModel.of(state, 1);
        model = rank == 0 ? new PeftModel(base) : base.withLora(rank);
        lease = model.lease();
        workspace = base.engine().workspace(Priority.WORK);
        batch = PackedBatch.of(TrainingBenchmark.randomExamples(base, 4, 128, 1));
        slot = base.network().slots().stream().filter(s -> s.name().equals("gate_proj")).findFirst().orElseThrow();
        x = state.random(batch.rows(), 576);
        dx = state.random(batch.rows(), 576);
        dy = state.random(batch.rows(), 1536);
    }

    /** Frees it. */
    @TearDown
    public void close() {
        workspace.close();
        lease.close();
        model.close();
        base.close();
    }

    /** The output, and the gradients of the input and of the adapter. */
    @Benchmark
    public void forwardBackward() {
        try (Tape tape = workspace.recording(base.network().description().activationType())) {
            workspace.compute(() -> {
                ForwardContext context = ForwardContext.training(tape, batch, lease.layers(), 0);
                Variable y = slot.forward(context, tape.input(x, dx));
                tape.backward(y, dy);
                return y;
            });
        }
        workspace.arena().reset();
    }
}
