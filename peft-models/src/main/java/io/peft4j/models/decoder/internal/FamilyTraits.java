package io.peft4j.models.decoder.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** What distinguishes a decoder from Llama, in the words of the table of models. */
final class FamilyTraits {
    private final DecoderPlan plan;
    private final List<String> words = new ArrayList<>();

    private FamilyTraits(DecoderPlan plan) {
        this.plan = plan;
    }

    static List<String> of(DecoderPlan plan) {
        FamilyTraits traits = new FamilyTraits(plan);
        traits.attention();
        traits.layers();
        traits.ends();
        return List.copyOf(traits.words);
    }

    private void attention() {
        add("sliding window", attention(a -> a.window() > 0));
        add("biases of q, k and v", attention(AttentionPlan::bias));
        add("q/k norm of each head", attention(a -> a.norms().filter(norms -> !norms.whole()).isPresent()));
        add("q/k norm of all heads", attention(a -> a.norms().filter(AttentionPlan.HeadNorms::whole).isPresent()));
        add("fused q, k and v", attention(a -> a.projections() instanceof AttentionPlan.Fused));
        add("latent attention", attention(a -> a.projections() instanceof AttentionPlan.Latent));
        add("soft cap of scores", attention(a -> a.shape().softCap() > 0));
        add("sinks", attention(AttentionPlan::sinks));
        add("queries scaled by position", attention(a -> a.positions().queryScale().isPresent()));
        add("layers without positions", plan.names().positions().isEmpty()
                && attention(a -> a.positions().rotary().isEmpty()));
    }

    private void layers() {
        add("layer norm", plan.norm().kind() == NormPlan.Kind.LAYER);
        add("norm weights around 1", plan.norm().offset() != 0);
        add("norms around both parts", any(l -> l.norms().afterAttention().isPresent()
                && l.norms().beforeAttention().isPresent()));
        add("norms behind both parts", any(l -> l.norms().afterAttention().isPresent()
                && l.norms().beforeAttention().isEmpty()));
        add("parallel residual", any(LayerPlan::parallel));
        add("plain feed-forward network", any(l -> l.feedForward() instanceof FeedForwardPlan.Plain));
        add("fused gate and up", any(l -> l.feedForward() instanceof FeedForwardPlan.Gated gated && gated.fused()));
        add("experts", any(l -> l.feedForward() instanceof ExpertsPlan));
        add("a shared expert", any(l -> l.feedForward() instanceof ExpertsPlan e && e.shared().isPresent()));
    }

    private void ends() {
        add("learned positions", plan.names().positions().isPresent());
        add("weights stored as [in, out]", plan.storedTransposed());
        DecoderPlan.Scales scales = plan.scales();
        add("scaled embedding", scales.embedding() != 1 || scales.input() != 1);
        add("scaled residuals and logits", scales.logits() != 1 || any(l -> l.residualScale() != 1));
        add("soft cap of logits", scales.logitCap() != 0);
    }

    private void add(String word, boolean applies) {
        if (applies) {
            words.add(word);
        }
    }

    private boolean attention(Predicate<AttentionPlan> trait) {
        return any(layer -> trait.test(layer.attention()));
    }

    private boolean any(Predicate<LayerPlan> trait) {
        return plan.layers().stream().anyMatch(trait);
    }
}
