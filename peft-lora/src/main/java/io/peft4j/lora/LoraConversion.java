package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.DerivedAdapter;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.peft.method.MergeDelta;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An adapter of any method that can be merged as plain LoRA, which more programs load: of the change that it makes to
 * each weight the largest singular values are kept. Alpha is the rank, so that nothing is scaled.
 *
 * @param errors by path of the layer, the norm of what was lost relative to the norm of the change; 0 where the change
 *     has no more than the kept rank
 * @param error the same over all layers together
 */
@Internal(shared = true)
public record LoraConversion(Map<String, Double> errors, double error) {
    /** Copies the map. */
    public LoraConversion {
        errors = Collections.unmodifiableMap(new LinkedHashMap<>(errors));
    }

    /**
     * Converts an adapter and adds the result to the model; what is active does not change.
     *
     * @param model the model that has the adapter
     * @param adapter its name
     * @param name the name of the new adapter
     * @param rank rank of the new adapter
     * @return what is lost
     * @throws ConfigurationException when the adapter cannot be merged, or changes norms or biases, which LoRA cannot
     */
    public static LoraConversion add(PeftModel model, String adapter, String name, int rank) {
        var source = model.adapter(adapter);
        // Places without a matrix are refused before anything is made.
        source.layers().forEach(layer -> MergeDelta.weight(layer.slot()));
        // Where a model leaves out its last layers only, the numbers of its layers do not show it.
        List<LayerRange> layers = source.config() instanceof LoraBased based ? based.lora().layerReplication()
                : List.of();
        LoraConfig config = LoraConfig.builder().common(source.config().common().withOtherKeys(Map.of()))
                .layerReplication(layers).rank(rank).alpha(rank)
                .targetModules(TargetModules.of(source.layers().stream().map(layer -> layer.slot().path()).distinct()
                        .sorted().toList()))
                .build();
        Map<String, Double> errors = new LinkedHashMap<>();
        double[] squares = new double[2];
        DerivedAdapter.add(model, name, config, made -> {
            Map<Slot, LowRankUpdate> targets = new HashMap<>();
            made.layers().forEach(layer -> targets.put(layer.slot(), layer.lowRankUpdate().orElseThrow()));
            MergeDelta.forEach(source, change -> {
                SingularValues values = targets.get(change.slot()).setDelta(change.delta());
                squares[0] += values.lost() * values.lost();
                squares[1] += values.norm() * values.norm();
                errors.put(change.slot().path(), values.norm() == 0 ? 0 : values.lost() / values.norm());
            });
        });
        return new LoraConversion(errors, squares[1] == 0 ? 0 : Math.sqrt(squares[0] / squares[1]));
    }
}
