package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.AttentionStep;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** LLaMA-Adapter; {@link AdaptionPromptConfig} says what it computes. */
@Internal
public final class AdaptionPromptMethod extends ConfiguredMethod<AdaptionPromptConfig> {
    @Override
    protected Adapter adapter(AdaptionPromptConfig config, AdapterSetup setup) {
        String name = config.attention().orElse(AdaptionPromptConfig.ATTENTION);
        List<Slot> all = setup.network().slots().stream().filter(slot -> slot.layer() instanceof SelfAttention)
                .filter(slot -> slot.name().equals(name)).toList();
        Checks.require(!all.isEmpty(), "target_modules '" + name + "' matches no attention layer of this model");
        AdaptionPromptConfig resolved = config.toBuilder().attention(Optional.of(name))
                .layers(config.layers() == 0 ? all.size() : config.layers()).build();
        Checks.require(resolved.layers() <= all.size(), "adapter_layers is " + resolved.layers()
                + ", and the model has " + all.size() + " attention layers");
        List<AdapterLayer> layers = new ArrayList<>();
        all.subList(all.size() - resolved.layers(), all.size())
                .forEach(slot -> layers.add(new AdaptionPromptLayer(setup, slot, config.length())));
        return Adapter.of(setup.isRestoring() ? config : resolved, layers);
    }

    /**
     * An attention layer with a gated look at trained vectors P [1, L, H] (<a
     * href="https://arxiv.org/abs/2303.16199">2303.16199</a>): the result of attention [N, heads x D], before the
     * output projection, becomes {@code attention(q, k, v) + g * softmax(q Kp^T / sqrt(D)) Vp}, {@code Kp = k_proj(P)}
     * and {@code Vp = v_proj(P)} of the base, without positions, and the gate g [1].
     *
     * <p>As in Hugging Face PEFT a bias of the output projection counts twice.
     */
    private static final class AdaptionPromptLayer extends AbstractAdapterLayer {
        private final Linear key;
        private final Linear value;
        private final Linear output;
        private final AdapterTensor prompt;
        private final AdapterTensor gate;

        AdaptionPromptLayer(AdapterSetup setup, Slot slot, int length) {
            super(slot);
            this.key = part(setup, slot, "k_proj");
            this.value = part(setup, slot, "v_proj");
            this.output = part(setup, slot, "o_proj");
            this.prompt = setup.tensor(slot, "adaption_prompt", Initializer.normal(1), 1, length, key.inFeatures());
            this.gate = setup.tensor(slot, "adaption_gate", Initializer.ZEROS, 1);
        }

        private static Linear part(AdapterSetup setup, Slot slot, String name) {
            return setup.network().slots().stream().filter(other -> other.path().equals(slot.path() + "." + name))
                    .map(Slot::layer).filter(Linear.class::isInstance).map(Linear.class::cast).findFirst()
                    .orElseThrow(() -> new ConfigurationException("LLaMA-Adapter needs a linear layer " + name + " in "
                            + slot.path() + ", and models of type " + setup.network().description().modelType()
                            + " have none"));
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Variable y = base.forward(context.withAttention(below -> (pass, inputs) -> attend(pass, inputs, below)), x);
            return output.bias().isEmpty() ? y
                    : MatrixOps.addBias(context.tape(), y, context.tape().constant(output.bias().get()));
        }

        private Variable attend(ForwardContext context, AttentionInputs inputs, AttentionStep below) {
            Tape tape = context.tape();
            Variable vectors = SmallOps.matrix(tape, tape.parameter(prompt.parameter()), key.inFeatures());
            Variable looked = PromptAttention.run(tape, inputs.queries(), key.forward(context, vectors),
                    value.forward(context, vectors), tape.parameter(gate.parameter()), inputs.shape());
            return ElementwiseOps.add(tape, below.run(context, inputs), looked);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(prompt, gate);
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional.of("the prompt vectors have their own attention, which cannot be expressed as a weight");
        }
    }
}
