package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.CachedValue;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** OFT; {@link OftConfig} says what it computes. */
@Internal
public final class OftMethod extends ConfiguredMethod<OftConfig> {
    @Override
    protected Adapter adapter(OftConfig config, AdapterSetup setup) {
        Checks.require(config.moduleDropout() == 0 || setup.isRestoring(), "module_dropout is " + config.moduleDropout()
                + ", which is not supported (it has no effect in Hugging Face PEFT 0.21); set it to 0");
        return Targets.of(config.placement(), setup, setup.base().defaultTargetModules(),
                layer -> layer instanceof Linear || layer instanceof Embedding)
                .adapter(config, slot -> new OftLayer(setup, slot, config));
    }

    /**
     * OFT on a linear layer (<a href="https://arxiv.org/abs/2306.07280">2306.07280</a>): {@code y = base(x R)}: x [N,
     * in], R block-diagonal with D blocks [B, B], {@code D B = in}. The parameters [D, B (B - 1) / 2], or [1, B (B - 1)
     * / 2] of a shared block, are the elements above the diagonal of skew-symmetric matrices Q; {@code R = (I - Q) (I +
     * Q)^-1} or its series. On an embedding what is looked up is rotated, {@code y = base(tokens) R}: y [N, H], {@code
     * D B = H}.
     *
     * <p>Merged: {@code W R^T}, and {@code table R}.
     */
    private static final class OftLayer extends AbstractAdapterLayer {
        /** A ball's surface belongs to it, but for rounding. */
        private static final double SURFACE = 1 + 1e-6;

        private final OftConfig config;
        private final boolean onEmbedding;
        private final Rotations rotations;
        private final AdapterTensor weight;
        private final CachedValue remembered = new CachedValue();

        OftLayer(AdapterSetup setup, Slot slot, OftConfig config) {
            super(slot);
            this.onEmbedding = slot.layer() instanceof Embedding;
            int in = ((WeightedLayer) slot.layer()).matrix().orElseThrow().columns();
            int blocks = config.blocks() > 0 ? divisor(in, config.blocks()) : in / divisor(in, config.blockSize());
            int size = in / blocks;
            double[] series = Cayley.neumann(config.neumannTerms());
            this.config = config;
            this.rotations = config.cayleyNeumann()
                    ? Rotations.fromTriangle(size, s -> Cayley.polynomial(s, series, size),
                            (s, g) -> Cayley.polynomialGradient(s, series, g, size))
                    : Rotations.fromTriangle(size, s -> Cayley.exact(s, size),
                            (s, g) -> Cayley.exactGradient(s, g, size));
            this.weight = setup.tensor(slot, onEmbedding ? "oft_embedding_R.weight" : "oft_R.weight",
                    config.initWeights() ? Initializer.ZEROS : Initializer.normal(0.1),
                    config.blockShare() ? 1 : blocks,
                    Math.max(rotations.entries(), 1));
            Checks.require(size > 1, "the blocks of " + slot.path() + " have one element, which cannot be rotated; "
                    + "use larger blocks");
        }

        /** The divisor of {@code n} that is nearest to what is asked for, the smaller one of two. */
        private static int divisor(int n, int asked) {
            if (asked >= n) {
                return n;
            }
            int lower = asked;
            while (n % lower != 0) {
                lower--;
            }
            int higher = asked;
            while (n % higher != 0) {
                higher++;
            }
            return asked - lower <= higher - asked ? lower : higher;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            Variable blocks = rotations.on(tape, parameters(context),
                    context.isTraining() ? Optional.empty() : Optional.of(remembered), block -> false);
            boolean training = context.isTraining();
            return onEmbedding ? BlockMatrices.rotate(tape, base.forward(context, x), blocks, training)
                    : base.forward(context, BlockMatrices.rotate(tape, x, blocks, training));
        }

        /**
         * The parameters; within the ball, if there is one. As in Hugging Face PEFT a pass of training moves them.
         */
        private Variable parameters(ForwardContext context) {
            Tape tape = context.tape();
            if (!config.constrained() || context.isTraining()) {
                if (config.constrained()) {
                    float[] inside = constrained();
                    Arrays.write(weight.parameter().value(), 0, inside, 0, inside.length);
                }
                return tape.parameter(weight.parameter());
            }
            INDArray inside = tape.allocateFloat(weight.parameter().value().shape());
            float[] values = constrained();
            Arrays.write(inside, 0, values, 0, values.length);
            return tape.record(inside, (out, dy) -> {
            }, List.of());
        }

        private float[] constrained() {
            float[] values = Arrays.toFloats(weight.parameter().value());
            int entries = rotations.entries();
            double radius = config.eps() / Math.sqrt(values.length / entries);
            for (int first = 0; first < values.length; first += entries) {
                double sum = 0;
                for (int i = first; i < first + entries; i++) {
                    sum += 2.0 * values[i] * values[i];
                }
                if (Math.sqrt(sum) > radius * SURFACE) {
                    for (int i = first; i < first + entries; i++) {
                        values[i] = (float) (values[i] * radius / Math.sqrt(sum));
                    }
                }
            }
            return values;
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(weight);
        }

        @Override
        public boolean turnsInput() {
            return !onEmbedding;
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            float[] values = config.constrained() ? constrained() : Arrays.toFloats(weight.parameter().value());
            try (INDArray parameters = Arrays.of(values, values.length)) {
                float[] blocks = rotations.values(parameters, block -> false);
                BlockMatrices.multiply(copy.weight(), blocks, rotations.size(), !onEmbedding, copy.weight(), false);
            }
        }
    }
}
