package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gemma 4's network with experts beside it: {@code y = norm1(mlp(norm(x))) + norm2(experts(pre(x)))}, where the router
 * reads x itself. x and y [N, H].
 */
record ExpertsBeside(Slot norm, Slot network, Slot networkNorm, Slot before, ExpertsFeedForward experts, Slot after)
        implements
            LayerCopy.Part {
    @Override
    public Layer copy(LayerCopy copy) {
        return new ExpertsBeside(copy.of(norm), copy.of(network), copy.of(networkNorm), copy.of(before),
                (ExpertsFeedForward) experts.copy(copy), copy.of(after));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Variable fed = networkNorm.forward(context, network.forward(context, norm.forward(context, x)));
        Variable chosen = experts.forward(context, before.forward(context, x), x);
        return ElementwiseOps.addInto(context.tape(), fed, after.forward(context, chosen));
    }

    /**
     * {@code projection(x / rms(x) * scale / sqrt(H))}: a score for each expert.
     *
     * @param scale [H]
     * @param expertScales what the weight of each expert is multiplied with [E]
     */
    record NormedRouter(Slot projection, Slot scale, Slot expertScales, float epsilon) implements LayerCopy.Part {
        @Override
        public Layer copy(LayerCopy copy) {
            return new NormedRouter(copy.of(projection), copy.of(scale), copy.of(expertScales), epsilon);
        }

        @Override
        public Variable forward(ForwardContext context, Variable x) {
            Tape tape = context.tape();
            Variable normed = NormOps.rmsNorm(tape, x, tape.constant(FrozenVector.at(scale)), epsilon);
            return projection.forward(context, ElementwiseOps.scale(tape, normed,
                    (float) (1 / Math.sqrt(x.columns()))));
        }

        /** The numbers of chosen experts, whose scores stand at {@code indices}, {@code columns} a token. */
        Variable scales(Tape tape, int[] indices, int columns) {
            float[] all = Arrays.toFloats(FrozenVector.at(expertScales));
            float[] values = new float[indices.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = all[indices[i] % all.length];
            }
            INDArray scales = tape.allocateFloat(values.length / columns, columns);
            Arrays.write(scales, 0, values, 0, values.length);
            return tape.constant(scales);
        }
    }
}
