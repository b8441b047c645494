package io.peft4j.core.peft;

import io.peft4j.core.engine.Lifetime;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.MergedLayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which adapters of a model run: some on all rows, or one for each group of rows; whether they are merged; and what a
 * {@link PeftModel.Scope} goes back to. Whatever changes an adapter comes here for the layers, so that the choice
 * outlives it. Changed by one thread at a time; {@link #active} may be read by any.
 */
final class ActiveAdapters {
    /**
     * A choice of adapters.
     *
     * @param names adapters that run on all rows one on the other, or by group of rows the adapter or {@link
     *     PeftModel#BASE}
     * @param isMade whether it was chosen explicitly; the first adapter is active without that
     */
    record Choice(List<String> names, boolean byRow, boolean isMade) {
        static final Choice NOTHING = new Choice(List.of(), false, true);

        static Choice onAllRows(List<String> names) {
            return new Choice(names.stream().distinct().toList(), false, true);
        }

        static Choice byRow(List<String> names) {
            return new Choice(List.copyOf(names), true, true);
        }

        static Choice first(String name) {
            return new Choice(List.of(name), false, false);
        }

        List<String> adapters() {
            return names.stream().filter(name -> !name.equals(PeftModel.BASE)).distinct().toList();
        }

        /** Where nothing of it is left, the base was not chosen in its place. */
        Choice without(String adapter) {
            List<String> rest = names.stream().filter(name -> !name.equals(adapter)).toList();
            return new Choice(rest, byRow, isMade && (!rest.isEmpty() || names.isEmpty()));
        }
    }

    /**
     * What runs.
     *
     * @param layers the layers
     * @param memory what must live while they run
     */
    record Active(Choice choice, LayerSelection layers, List<Lifetime> memory) {
        static final Active BASE = new Active(Choice.NOTHING, LayerSelection.BASE, List.of());
    }

    /** A choice that a scope goes back to. */
    private static final class Suspended {
        private Choice before;

        Suspended(Choice before) {
            this.before = before;
        }
    }

    private final AdapterSet adapters;
    private final List<Suspended> suspended = new ArrayList<>();
    private volatile Active active = Active.BASE;
    private volatile Map<String, MergedLayer> merged = Map.of();

    /** Nothing is active. */
    ActiveAdapters(AdapterSet adapters) {
        this.adapters = adapters;
    }

    /** What runs now. */
    Active active() {
        return active;
    }

    void choose(Choice choice) {
        requireUnmerged(choice.byRow() ? "mix adapters in one batch" : "activate other adapters");
        active = active(choice);
    }

    /** What would run with a choice. */
    Active active(Choice choice) {
        // Looked up once, so that the layers are those of the adapters that are kept alive.
        Map<String, AttachedAdapter> held = new LinkedHashMap<>();
        choice.adapters().forEach(name -> held.put(name, adapters.held(name)));
        return new Active(choice, layers(choice, name -> held.get(name).adapter()),
                held.values().stream().map(AttachedAdapter::lifetime).toList());
    }

    /** Makes nothing active until the result is closed. */
    PeftModel.Scope suspend() {
        requireUnmerged("disable adapters");
        Suspended here = new Suspended(active.choice());
        suspended.add(here);
        active = Active.BASE;
        return () -> resume(here);
    }

    private void resume(Suspended here) {
        adapters.change(() -> {
            if (suspended.contains(here)) {
                requireUnmerged("activate other adapters");
                suspended.remove(here);
                active = active(here.before);
            }
        });
    }

    /** After an adapter has been exchanged. */
    void refresh() {
        active = active(active.choice());
    }

    /**
     * Checks whether everything chosen, now or after a scope, could run with another adapter in the place of one.
     *
     * @throws ConfigurationException when it could not
     */
    void requireFit(String name, Adapter other) {
        choices().forEach(each -> layers(each,
                wanted -> wanted.equals(name) ? other : adapters.held(wanted).adapter()));
    }

    /**
     * Takes an adapter that is going to be deleted out of every choice.
     *
     * @throws ConfigurationException when it is chosen for a group of rows, which would be left without one
     */
    void drop(String name) {
        if (choices().anyMatch(each -> each.byRow() && each.names().contains(name))) {
            throw new ConfigurationException("cannot delete adapter '" + name + "': it is active for rows of a "
                    + "batch; activate others first");
        }
        active = active(active.choice().without(name));
        suspended.forEach(each -> each.before = each.before.without(name));
    }

    private Stream<Choice> choices() {
        return Stream.concat(Stream.of(active.choice()), suspended.stream().map(each -> each.before));
    }

    private LayerSelection layers(Choice of, Function<String, Adapter> lookup) {
        if (of.byRow()) {
            return RowLayers.of(adapters.network(), lookup, of.names());
        }
        Map<String, Adapter> chosen = new LinkedHashMap<>();
        of.names().forEach(name -> chosen.put(name, lookup.apply(name)));
        return ActiveLayers.of(chosen);
    }

    // ---- merging

    /** Merges what is active into copies of the base layers. */
    void merge() {
        requireMergeable();
        Map<String, Adapter> chosen = new LinkedHashMap<>();
        active.choice().names().forEach(name -> chosen.put(name, adapters.held(name).adapter()));
        Map<String, MergedLayer> copies = ActiveLayers.merge(chosen);
        merged = copies;
        // Who merges has chosen what is active.
        active = new Active(Choice.onAllRows(active.choice().names()), ActiveLayers.ofMerged(copies),
                List.of(new Lifetime("the merged model", () -> copies.values().forEach(MergedLayer::close))));
    }

    /**
     * Looks whether the choice is one that can be merged.
     *
     * @throws ConfigurationException when it is not
     */
    void requireMergeable() {
        requireUnmerged("merge again");
        if (active.choice().byRow()) {
            throw new ConfigurationException("cannot merge adapters that are active by row; activate() the one to "
                    + "merge");
        }
        if (active.choice().names().isEmpty()) {
            throw new ConfigurationException("no adapter is active, so there is nothing to merge");
        }
    }

    /** Goes back to what was active; the copies are freed when no pass uses them any more. */
    void unmerge() {
        if (isMerged()) {
            Active before = active;
            merged = Map.of();
            refresh();
            before.memory().forEach(Lifetime::close);
        }
    }

    /** Whether layers with adapters merged into them run. */
    boolean isMerged() {
        return !merged.isEmpty();
    }

    /** The merged weights by their names in a checkpoint. */
    Map<String, INDArray> mergedWeights() {
        return ActiveLayers.weights(adapters.network(), merged);
    }

    void requireUnmerged(String what) {
        if (isMerged()) {
            throw new ConfigurationException("cannot " + what + " while adapters are merged; call unmerge() first");
        }
    }

    /** Nothing is active any more, nor after any scope; what was is left to the caller to close. */
    void clear() {
        merged = Map.of();
        suspended.clear();
        active = Active.BASE;
    }
}
