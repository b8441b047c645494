package io.peft4j.core.peft;

import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterLayer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The state of a model with adapters, with the fields of Hugging Face PEFT's {@code get_model_status}. What can be
 * "irregular" there though it cannot here (adapters that are active in some layers only) is a plain value.
 *
 * @param baseModelType the architecture of the base, for instance {@code llama}
 * @param peftTypes method of each adapter by its name
 * @param trainableParams number of parameters that are trained: those of the active adapters
 * @param totalParams number of all parameters
 * @param numAdapterLayers number of places that any adapter changes
 * @param enabled whether any adapter is active
 * @param activeAdapters the active adapters
 * @param mergedAdapters the adapters that are merged into copies of the base layers
 * @param requiresGrad by adapter, whether its tensors are trained: irregular where some are and others are not, as in
 *     methods that freeze a part of themselves
 * @param availableAdapters all adapters, sorted
 * @param layers the state of each adapted place
 */
public record ModelStatus(String baseModelType, Map<String, String> peftTypes, long trainableParams, long totalParams,
        int numAdapterLayers, boolean enabled, List<String> activeAdapters, List<String> mergedAdapters,
        Map<String, Agreement> requiresGrad, List<String> availableAdapters, List<LayerStatus> layers) {
    /** Copies the lists. */
    public ModelStatus {
        peftTypes = Collections.unmodifiableMap(new LinkedHashMap<>(peftTypes));
        activeAdapters = List.copyOf(activeAdapters);
        mergedAdapters = List.copyOf(mergedAdapters);
        requiresGrad = Collections.unmodifiableMap(new LinkedHashMap<>(requiresGrad));
        availableAdapters = List.copyOf(availableAdapters);
        layers = List.copyOf(layers);
    }

    /**
     * What adapters do at one place of the model, with the fields of Hugging Face PEFT's {@code get_layer_status}.
     *
     * @param name path of the place
     * @param moduleType what is adapted, for instance {@code lora.Linear}, with several methods separated by a plus
     *     sign
     * @param enabled whether any adapter of the model is active
     * @param activeAdapters the model's active adapters, also those that do nothing here
     * @param mergedAdapters the adapters that are merged here
     * @param requiresGrad by adapter, whether its tensors here are trained: irregular where some are and others are not
     * @param availableAdapters the adapters that do something here, active or not
     */
    public record LayerStatus(String name, String moduleType, boolean enabled, List<String> activeAdapters,
            List<String> mergedAdapters, Map<String, Agreement> requiresGrad, List<String> availableAdapters) {
        /** Copies the lists. */
        public LayerStatus {
            activeAdapters = List.copyOf(activeAdapters);
            mergedAdapters = List.copyOf(mergedAdapters);
            requiresGrad = Collections.unmodifiableMap(new LinkedHashMap<>(requiresGrad));
            availableAdapters = List.copyOf(availableAdapters);
        }
    }

    /**
     * Whether something holds for all of several parts: Hugging Face PEFT's {@code True}, {@code False}, "irregular".
     */
    public enum Agreement {
        /** For all. */
        TRUE,
        /** For none. */
        FALSE,
        /** For some and not for others. */
        IRREGULAR;

        /** What the answers have in common; true where there are none, as in Hugging Face PEFT. */
        public static Agreement of(Collection<Boolean> answers) {
            return !answers.contains(false) ? TRUE : !answers.contains(true) ? FALSE : IRREGULAR;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The state of a model. */
    static ModelStatus of(PeftModel model) {
        Map<String, String> types = new LinkedHashMap<>();
        Map<String, List<LayerOf>> places = new TreeMap<>();
        model.adapterNames().forEach(name -> {
            types.put(name, model.adapter(name).config().peftType());
            model.adapter(name).layers().forEach(layer -> places
                    .computeIfAbsent(layer.slot().path(), p -> new ArrayList<>()).add(new LayerOf(name, layer)));
        });
        List<LayerStatus> layers = new ArrayList<>();
        for (Slot slot : model.network().slots()) {
            List<LayerOf> here = places.getOrDefault(slot.path(), List.of());
            if (!here.isEmpty()) {
                layers.add(layer(model, slot, here, types));
            }
        }
        List<String> merged = model.isMerged() ? model.activeAdapters() : List.of();
        return new ModelStatus(model.network().description().modelType(), types, model.trainableParameterCount(),
                model.parameterCount(), layers.size(), !model.activeAdapters().isEmpty(), model.activeAdapters(),
                merged, agreement(model), List.copyOf(new TreeSet<>(model.adapterNames())), layers);
    }

    private record LayerOf(String adapter, AdapterLayer layer) {
    }

    private static LayerStatus layer(PeftModel model, Slot slot, List<LayerOf> here, Map<String, String> types) {
        Set<String> methods = new LinkedHashSet<>();
        Set<String> names = new LinkedHashSet<>();
        Map<String, List<Boolean>> trained = new LinkedHashMap<>();
        for (LayerOf of : here) {
            boolean active = model.activeAdapters().contains(of.adapter()) && !model.isMerged();
            names.add(of.adapter());
            methods.add(of.layer().replacesBase() ? "copy" : types.get(of.adapter()).toLowerCase(Locale.ROOT));
            of.layer().tensors().forEach(tensor -> trained.computeIfAbsent(of.adapter(), a -> new ArrayList<>())
                    .add(active && tensor.isTrainable()));
        }
        Map<String, Agreement> agreement = new LinkedHashMap<>();
        trained.forEach((name, answers) -> agreement.put(name, Agreement.of(answers)));
        List<String> merged = model.isMerged() ? names.stream().filter(model.activeAdapters()::contains).toList()
                : List.of();
        return new LayerStatus(slot.path(), String.join("+", methods) + "." + slot.layer().getClass().getSimpleName(),
                !model.activeAdapters().isEmpty(), model.activeAdapters(), merged, agreement, List.copyOf(names));
    }

    /** Over all tensors of an adapter, also those that belong to no place. */
    private static Map<String, Agreement> agreement(PeftModel model) {
        Map<String, Agreement> agreement = new LinkedHashMap<>();
        for (String name : model.adapterNames()) {
            boolean active = model.activeAdapters().contains(name) && !model.isMerged();
            agreement.put(name, Agreement.of(model.adapter(name).tensors()
                    .map(tensor -> active && tensor.isTrainable()).toList()));
        }
        return agreement;
    }

    /** All but what {@link #layers} holds, which may be hundreds of lines. */
    @Override
    public String toString() {
        return baseModelType + " with " + availableAdapters + ", active " + (enabled ? activeAdapters : List.of())
                + ", merged " + mergedAdapters + ", " + trainableParams + " of " + totalParams
                + " parameters trained in " + numAdapterLayers + " layers";
    }
}
