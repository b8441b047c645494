package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.DeltaLayer;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A layer with the two kinds of dropout of LoHa and LoKr: its change is left out as a whole, or some of its output
 * features are.
 */
abstract class LycorisLayer extends DeltaLayer {
    private final double rankDropout;
    private final double moduleDropout;
    private final boolean scaled;

    /**
     * At a place.
     *
     * @param rankDropout probability of an output feature
     * @param moduleDropout probability of the layer
     * @param scaled whether the features that stay are scaled up to the same mean
     */
    LycorisLayer(AdapterSetup setup, Slot slot, double rankDropout, double moduleDropout, boolean scaled) {
        super(setup, slot);
        this.rankDropout = rankDropout;
        this.moduleDropout = moduleDropout;
        this.scaled = scaled;
    }

    @Override
    protected boolean isLeftOut(ForwardContext context) {
        return context.isTraining() && moduleDropout > 0
                && new SplittableRandom(context.nextDropoutSeed()).nextDouble() < moduleDropout;
    }

    @Override
    protected Variable added(ForwardContext context, Variable change) {
        if (!context.isTraining() || rankDropout == 0) {
            return change;
        }
        Tape tape = context.tape();
        float[] mask = mask(change.columns(), context.nextDropoutSeed());
        INDArray factors = tape.allocateFloat(mask.length);
        Arrays.write(factors, 0, mask, 0, mask.length);
        return ScaleOps.columns(tape, change, tape.constant(factors));
    }

    private float[] mask(int features, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] mask = new float[features];
        int kept = 0;
        for (int i = 0; i < features; i++) {
            mask[i] = random.nextDouble() < rankDropout ? 0 : 1;
            kept += (int) mask[i];
        }
        for (int i = 0; i < features && scaled && kept > 0; i++) {
            mask[i] *= (float) features / kept;
        }
        return mask;
    }
}
