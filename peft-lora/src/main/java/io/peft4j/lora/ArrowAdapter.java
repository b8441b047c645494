package io.peft4j.lora;

import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.LowRankUpdate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** LoRA adapters and the layers that mix them; {@link Arrow} says how. */
final class ArrowAdapter extends LayeredAdapter {
    private final Map<String, Adapter> parts;

    private ArrowAdapter(LoraConfig config, List<AdapterLayer> layers, Map<String, Adapter> parts) {
        super(config, layers);
        this.parts = parts;
    }

    static ArrowAdapter of(LoraConfig config, AdapterSetup setup) {
        Arrow arrow = config.arrow().orElseThrow();
        List<Adapter> loaded = arrow.all().stream()
                .map(name -> setup.part(XLoraMethod.folder(setup, "arrow_config", name, "../" + name))).toList();
        List<Map<Slot, LowRankUpdate>> updates = IntStream.range(0, loaded.size())
                .mapToObj(i -> updates(arrow.all().get(i), loaded.get(i))).toList();
        List<Slot> slots = List.copyOf(updates.get(0).keySet());
        int rank = updates.get(0).get(slots.get(0)).rank();
        for (int i = 1; i < updates.size(); i++) {
            Checks.require(updates.get(i).keySet().equals(updates.get(0).keySet()) && updates.get(i).values().stream()
                    .allMatch(update -> update.rank() == rank), "arrow_config mixes LoRA of one rank on the same "
                            + "layers; '" + arrow.all().get(i) + "' differs from '" + arrow.all().get(0) + "'");
        }
        int mixed = arrow.adapters().size();
        List<AdapterLayer> layers = new ArrayList<>();
        for (Slot slot : slots) {
            List<LowRankUpdate> own = updates.stream().map(all -> all.get(slot)).toList();
            layers.add(new ArrowLayer(setup, slot, config, own.subList(0, mixed), own.subList(mixed, own.size())));
        }
        Map<String, Adapter> parts = new LinkedHashMap<>();
        for (int i = 0; i < loaded.size(); i++) {
            parts.put(i < mixed ? "task_" + i : "gks_" + (i - mixed), loaded.get(i));
        }
        List<String> names = List.copyOf(parts.keySet());
        LoraConfigBuilder named = config.toBuilder().arrow(arrow.withAdapters(names.subList(0, mixed),
                names.subList(mixed, names.size())));
        if (!setup.isRestoring()) {
            named.rank(rank).targetModules(TargetModules.of(slots.stream()
                    .map(slot -> slot.path().replaceFirst(".*\\.", "")).distinct().sorted().toList()));
        }
        return new ArrowAdapter(named.build(), layers, parts);
    }

    private static Map<Slot, LowRankUpdate> updates(String name, Adapter adapter) {
        Map<Slot, LowRankUpdate> updates = new LinkedHashMap<>();
        for (AdapterLayer layer : adapter.layers()) {
            Checks.require(layer.slot().layer() instanceof Linear && layer.lowRankUpdate().isPresent(),
                    "arrow_config mixes plain LoRA on linear layers; '" + name + "' has something else at "
                            + layer.slot().path());
            updates.put(layer.slot(), layer.lowRankUpdate().get());
        }
        Checks.require(!updates.isEmpty(), "'" + name + "' of arrow_config has no layers");
        return updates;
    }

    @Override
    public Stream<AdapterTensor> tensors() {
        return Stream.concat(super.tensors(), parts.values().stream().flatMap(Adapter::tensors)
                .map(AdapterTensor::frozen));
    }

    @Override
    public Map<String, Adapter> parts() {
        return parts;
    }

    @Override
    public void closeDerived() {
        parts.values().forEach(Adapter::closeDerived);
        layers().forEach(layer -> ((ArrowLayer) layer).closeDerived());
    }
}
