package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import java.util.List;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The two kinds of dropout of LoHa and LoKr: a layer's change is left out as a whole, or some of its output features
 * are.
 *
 * @param rank probability of an output feature
 * @param module probability of the layer
 * @param scaled whether the features that stay are scaled up to the same mean
 */
record LycorisDropout(double rank, double module, boolean scaled) {
    /** Whether the change is left out in this pass. */
    boolean dropsLayer(ForwardContext context) {
        return context.isTraining() && module > 0
                && new SplittableRandom(context.nextDropoutSeed()).nextDouble() < module;
    }

    /** The change [N, out] without the features that are left out in this pass. */
    Variable features(ForwardContext context, Variable change) {
        if (!context.isTraining() || rank == 0) {
            return change;
        }
        Tape tape = context.tape();
        float[] mask = mask(change.columns(), context.nextDropoutSeed());
        INDArray factors = tape.allocateFloat(mask.length);
        Arrays.write(factors, 0, mask, 0, mask.length);
        return ScaleOps.columns(tape, change, tape.record(factors, (out, dy) -> { }, List.of()));
    }

    private float[] mask(int features, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] mask = new float[features];
        int kept = 0;
        for (int i = 0; i < features; i++) {
            mask[i] = random.nextDouble() < rank ? 0 : 1;
            kept += (int) mask[i];
        }
        for (int i = 0; i < features && scaled && kept > 0; i++) {
            mask[i] *= (float) features / kept;
        }
        return mask;
    }
}
