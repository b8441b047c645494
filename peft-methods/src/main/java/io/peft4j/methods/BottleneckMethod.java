package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.Optional;

/** Bottleneck adapters; {@link BottleneckConfig} says what they compute. */
@Internal
public final class BottleneckMethod extends ConfiguredMethod<BottleneckConfig> {
    @Override
    public boolean isInHuggingFacePeft() {
        return false;
    }

    @Override
    protected Adapter adapter(BottleneckConfig config, AdapterSetup setup) {
        List<String> defaults = config.style() == BottleneckConfig.Style.HOULSBY ? List.of("self_attn", "mlp")
                : List.of("mlp");
        // Blocks, and not the layers in them: what follows those may have other features.
        return Targets.of(config.placement(), setup, defaults, layer -> !MergedLayer.canCopy(layer))
                .adapter(config, slot -> new BottleneckLayer(setup, slot, config));
    }

    /**
     * A block with a bottleneck behind it: {@code y = h + f(h D^T + d) U^T + u}, {@code h = base(x)}: h, y [N, H], D
     * [B, H], d [B], U [H, B], u [H]. U and the biases begin at 0, so that y begins as h; D is normal with standard
     * deviation 0.02.
     */
    private static final class BottleneckLayer extends AbstractAdapterLayer {
        private final BottleneckConfig.Activation activation;
        private final AdapterTensor down;
        private final AdapterTensor downBias;
        private final AdapterTensor up;
        private final AdapterTensor upBias;

        BottleneckLayer(AdapterSetup setup, Slot slot, BottleneckConfig config) {
            super(slot);
            int hidden = setup.network().description().hiddenSize();
            this.activation = config.activation();
            this.down = setup.tensor(slot, "adapter_down.weight", Initializer.normal(0.02), config.size(), hidden);
            this.downBias = setup.tensor(slot, "adapter_down.bias", Initializer.ZEROS, config.size());
            this.up = setup.tensor(slot, "adapter_up.weight", Initializer.ZEROS, hidden, config.size());
            this.upBias = setup.tensor(slot, "adapter_up.bias", Initializer.ZEROS, hidden);
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            Variable h = base.forward(context, x);
            Variable inner = activated(tape, SmallOps.linear(tape, h, tape.parameter(down.parameter()),
                    tape.parameter(downBias.parameter())));
            return ElementwiseOps.add(tape, h, SmallOps.linear(tape, inner, tape.parameter(up.parameter()),
                    tape.parameter(upBias.parameter())));
        }

        private Variable activated(Tape tape, Variable x) {
            return switch (activation) {
                case RELU -> SmallOps.relu(tape, x);
                case SILU -> SmallOps.map(tape, x, v -> v * sigmoid(v),
                        v -> sigmoid(v) * (1 + v * (1 - sigmoid(v))));
                case TANH -> SmallOps.tanh(tape, x);
            };
        }

        private static double sigmoid(double x) {
            return 1 / (1 + Math.exp(-x));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(down, downBias, up, upBias);
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional.of("a network behind a block cannot be expressed as a weight");
        }
    }
}
