package io.peft4j.lora;

import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.TargetModules;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What a place of the model is to get.
 *
 * @param slot the place
 * @param rank r
 * @param alpha alpha
 * @param start what makes the first values of A and B together; empty where each is drawn by itself
 */
record LoraTarget(Slot slot, int rank, double alpha, Optional<Supplier<LoraStart>> start) {
    /** Without first values. */
    static LoraTarget of(Slot slot, int rank, double alpha) {
        return new LoraTarget(slot, rank, alpha, Optional.empty());
    }

    /** Whether a linear layer stands here. */
    boolean isLinear() {
        return slot.layer() instanceof Linear;
    }

    /** The linear layer. */
    Linear linear() {
        return (Linear) slot.layer();
    }

    LoraTarget startingWith(Supplier<LoraStart> values) {
        return new LoraTarget(slot, rank, alpha, Optional.of(values));
    }

    private boolean hasShapeOf(LoraTarget other) {
        return slot == other.slot && rank == other.rank && alpha == other.alpha;
    }

    /**
     * The configuration for targets that a beginning has changed: their ranks and alphas by path, and their paths where
     * some are gone.
     */
    static LoraConfig describe(LoraConfig config, List<LoraTarget> before, List<LoraTarget> after) {
        boolean all = before.size() == after.size();
        boolean same = all;
        for (int i = 0; same && i < after.size(); i++) {
            same = after.get(i).hasShapeOf(before.get(i));
        }
        if (same) {
            return config;
        }
        Map<String, Integer> ranks = new LinkedHashMap<>();
        Map<String, Double> alphas = new LinkedHashMap<>();
        for (LoraTarget target : after) {
            if (target.rank != config.rank()) {
                ranks.put(target.slot.path(), target.rank);
            }
            if (target.alpha != config.alpha()) {
                alphas.put(target.slot.path(), target.alpha);
            }
        }
        LoraConfigBuilder changed = config.toBuilder().rankPattern(ranks).alphaPattern(alphas);
        return (all ? changed : changed.targetModules(TargetModules.of(
                after.stream().map(target -> target.slot.path()).toList()))).build();
    }
}
