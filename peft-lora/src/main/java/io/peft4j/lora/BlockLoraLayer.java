package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * BD-LoRA on a linear layer: {@code y = base(x) + s * (dropout(x) A^T) B^T}: A [r, in] of n blocks [r / n, in / n] on
 * its diagonal and B [out, r], or A [r, in] and B of n blocks [out / n, r / n]; the file has the blocks one below the
 * other, {@code lora_A.weight} [r, in / n] or {@code lora_B.weight} [out, r / n].
 */
final class BlockLoraLayer extends ChangeLayer {
    private final float scaling;
    private final int blocksOfA;
    private final int blocksOfB;
    private final AdapterTensor a;
    private final AdapterTensor b;

    BlockLoraLayer(AdapterSetup setup, Slot slot, LoraConfig config, int rank, double scaling) {
        super(setup, slot, config.dropout());
        BlockDiagonal blocks = config.blocks().orElseThrow();
        int in = linear().inFeatures();
        int out = linear().outFeatures();
        boolean onA = blocks.onA().stream().anyMatch(slot.path()::contains);
        boolean onB = blocks.onB().stream().anyMatch(slot.path()::contains);
        int n = blocks.blocks();
        Checks.require(!onA || !onB, "use_bdlora: " + slot.path() + " is one of target_modules_bd_a and of "
                + "target_modules_bd_b; it must be one of one of them");
        Checks.require(onA || onB || !blocks.strict(), "use_bdlora: " + slot.path() + " is neither one of "
                + "target_modules_bd_a nor of target_modules_bd_b; name it there, or set match_strict to false");
        Checks.require(rank % n == 0 && (!onA || in % n == 0) && (!onB || out % n == 0), "use_bdlora: nblocks is " + n
                + ", which does not divide the rank " + rank + " and the " + (onA ? in : out) + " features of "
                + slot.path());
        this.scaling = (float) scaling;
        this.blocksOfA = onA ? n : 1;
        this.blocksOfB = onB ? n : 1;
        this.a = setup.tensor(slot, "lora_A.weight", onA ? Initializer.uniform(Math.sqrt(6.0 * n / in))
                : config.initialization().a(rank, in), rank, in / blocksOfA);
        this.b = setup.tensor(slot, "lora_B.weight", onB ? Initializer.ZEROS : config.initialization().b(rank), out,
                rank / blocksOfB);
    }

    @Override
    protected Variable change(Tape tape, Variable x, Variable kept) {
        Variable h = MatrixOps.product(tape, kept, false, whole(tape, a, blocksOfA), true);
        return ElementwiseOps.scale(tape, MatrixOps.product(tape, h, false, whole(tape, b, blocksOfB), true), scaling);
    }

    /** The matrix with the blocks on its diagonal: from [m, k / n] to [m, k]. */
    private static Variable whole(Tape tape, AdapterTensor tensor, int n) {
        Variable blocks = tape.parameter(tensor.parameter());
        if (n == 1) {
            return blocks;
        }
        int rows = blocks.rows();
        int width = blocks.columns();
        float[] values = Arrays.toFloats(blocks.value());
        float[] all = new float[values.length * n];
        for (int i = 0; i < values.length; i++) {
            all[place(i, rows, width, n)] = values[i];
        }
        INDArray y = tape.allocateFloat(rows, (long) width * n);
        Arrays.write(y, 0, all, 0, all.length);
        return tape.record(y, (result, dy) -> blocks.addGradient((d, accumulate) -> {
            float[] dys = Arrays.toFloats(dy);
            float[] gradient = new float[values.length];
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] = dys[place(i, rows, width, n)];
            }
            HeapRows.write(d, gradient, accumulate);
        }), List.of(blocks));
    }

    private static int place(int i, int rows, int width, int n) {
        int row = i / width;
        return (row * n + row / (rows / n)) * width + i % width;
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(a, b);
    }
}
