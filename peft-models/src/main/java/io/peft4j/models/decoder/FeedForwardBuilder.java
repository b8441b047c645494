package io.peft4j.models.decoder;

import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.FeedForward;
import java.util.List;
import java.util.Optional;

/** Builds the feed-forward networks of decoders, those with experts among them. */
record FeedForwardBuilder(ModulePlaces places, int hidden, float epsilon) {
    Layer network(String path, FeedForwardPlan feedForward) {
        if (feedForward instanceof FeedForwardPlan.Plain plain) {
            return new FeedForward(List.of(places.linear(path + "." + plain.up(), plain.width(), hidden, plain.bias())),
                    places.linear(path + "." + plain.down(), hidden, plain.width(), plain.bias()), plain.activation(),
                    false, 0);
        }
        if (feedForward instanceof ExpertsPlan experts) {
            return experts(path, experts);
        }
        if (feedForward instanceof FeedForwardPlan.ScaledGated own) {
            FeedForward network = (FeedForward) network(path, own.network());
            return new FeedForward(List.of(Scaled.of(network.up().get(0), new Scaled.Factors(1, own.gate())),
                    network.up().get(1)), Scaled.of(network.down(), new Scaled.Factors(1, own.down())),
                    network.activation(), true, 0);
        }
        FeedForwardPlan.Gated gated = (FeedForwardPlan.Gated) feedForward;
        int width = gated.width();
        boolean bias = gated.bias();
        List<Slot> gates = gated.gates().stream().map(gate -> places.linear(path + "." + gate,
                gated.fused() ? 2 * width : width, hidden, bias)).toList();
        return new FeedForward(gates, places.linear(path + "." + gated.down(), hidden, width, bias),
                gated.activation(), true, 0);
    }

    Slot beside(String path, FeedForwardPlan.BesideExperts plan) {
        String network = path + ".mlp";
        return new Slot(network + "_and_experts", new ExpertsBeside(
                places.norm(path + ".pre_feedforward_layernorm", hidden),
                places.containing(network, () -> network(network, plan.network())),
                places.norm(path + ".post_feedforward_layernorm_1", hidden),
                places.norm(path + ".pre_feedforward_layernorm_2", hidden),
                (ExpertsFeedForward) experts(path, plan.beside()),
                places.norm(path + ".post_feedforward_layernorm_2", hidden)));
    }

    private Slot normedRouter(String path, int count) {
        return places.containing(path, () -> new ExpertsBeside.NormedRouter(
                places.linear(path + ".proj", count, hidden, false),
                places.vectorAt(path + ".scale", hidden), places.vectorAt(path + ".per_expert_scale", count),
                epsilon));
    }

    private Layer experts(String path, ExpertsPlan experts) {
        String name = path + "." + experts.router().name();
        Slot router = experts.router().weights() == ExpertsPlan.Weights.OF_CHOSEN_SCALED
                ? normedRouter(name, experts.count()) : places.router(name, experts.count(), experts.router());
        List<Slot> both = places.experts(path + ".experts", experts);
        Optional<Slot> shared = experts.shared().map(own -> {
            String place = (own.beside() ? path.substring(0, path.lastIndexOf('.')) : path) + "." + own.name();
            return places.containing(place, () -> network(place, own.network()));
        });
        Optional<Slot> gate = experts.shared().flatMap(ExpertsPlan.Shared::gate)
                .map(own -> places.linear(path + "." + own, 1, hidden, false));
        return new ExpertsFeedForward(experts, new ExpertsFeedForward.Parts(router, both.get(0), both.get(1), shared,
                gate));
    }
}
