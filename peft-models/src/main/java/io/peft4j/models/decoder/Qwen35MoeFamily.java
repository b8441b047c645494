package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Qwen 3.5 with experts, and one beside them that all tokens go through. */
public final class Qwen35MoeFamily extends Qwen35Family {
    /** For the {@link java.util.ServiceLoader}. */
    public Qwen35MoeFamily() {
        super("qwen3_5_moe_text");
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(List.of("gate", "gate_up_proj", "shared_expert_gate"));
        names.addAll(super.layerNames());
        return names;
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(ggufForm(Qwen2MoeFamily.withShared(Qwen2MoeFamily.expertsForm("qwen35moe")))
                .withoutKey("feed_forward_length"));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        Activation activation = LlamaFamily.activation(config, "hidden_act", "silu");
        FeedForwardPlan.Gated shared = new FeedForwardPlan.Gated(config.positive("shared_expert_intermediate_size"),
                activation, false);
        ExpertsPlan.RouterPlan router = new ExpertsPlan.RouterPlan("gate", config.positive("num_experts_per_tok"),
                ExpertsPlan.Weights.OF_CHOSEN, false);
        return plan(config, new ExpertsPlan(config.positive("num_experts"), config.positive("moe_intermediate_size"),
                router, new ExpertsPlan.Gate.Usual(activation), false,
                Optional.of(new ExpertsPlan.Shared("shared_expert", shared, Optional.of("shared_expert_gate"))),
                ExpertsPlan.Stored.ONE_BY_ONE)).withRouterLoss(config, 0.001);
    }
}
