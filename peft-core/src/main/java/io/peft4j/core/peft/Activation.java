package io.peft4j.core.peft;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.LayerSelection;
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
 * outlives it.
 */
final class Activation {
    /**
     * What runs.
     *
     * @param names adapters that run on all rows one on the other, or by group of rows the adapter or {@link
     *     PeftModel#BASE}
     */
    private record Choice(List<String> names, boolean byRow) {
        static final Choice NOTHING = new Choice(List.of(), false);

        List<String> adapters() {
            return names.stream().filter(name -> !name.equals(PeftModel.BASE)).distinct().toList();
        }

        Choice without(String adapter) {
            return new Choice(names.stream().filter(name -> !name.equals(adapter)).toList(), byRow);
        }
    }

    /** A choice that a scope goes back to. */
    private static final class Suspended {
        private Choice before;

        Suspended(Choice before) {
            this.before = before;
        }
    }

    private final PeftModel model;
    private final List<Suspended> suspended = new ArrayList<>();
    private Choice choice = Choice.NOTHING;
    private Map<String, MergedLayer> merged = Map.of();
    private LayerSelection layers = LayerSelection.BASE;

    /** Nothing is active. */
    Activation(PeftModel model) {
        this.model = model;
    }

    /** The layers that run. */
    LayerSelection layers() {
        return layers;
    }

    /** The active adapters. */
    List<String> adapters() {
        return choice.adapters();
    }

    /** Makes these adapters active on all rows. */
    void choose(List<String> names) {
        requireUnmerged("activate other adapters");
        set(new Choice(names.stream().distinct().toList(), false));
    }

    /** Makes these adapters active, each on the rows of its group. */
    void chooseByRow(List<String> names) {
        requireUnmerged("mix adapters in one batch");
        set(new Choice(List.copyOf(names), true));
    }

    /** Makes nothing active until the result is closed. */
    PeftModel.Scope suspend() {
        requireUnmerged("disable adapters");
        Suspended here = new Suspended(choice);
        suspended.add(here);
        set(Choice.NOTHING);
        return () -> resume(here);
    }

    private void resume(Suspended here) {
        if (suspended.contains(here)) {
            requireUnmerged("activate other adapters");
            suspended.remove(here);
            set(here.before);
        }
    }

    private void set(Choice next) {
        layers = layers(next, model::adapter);
        choice = next;
    }

    /** After an adapter's layers have changed. */
    void refresh() {
        set(choice);
    }

    /**
     * Looks whether all that is chosen, now or after a scope, could run with another adapter in the place of one.
     *
     * @throws ConfigurationException when it could not
     */
    void requireFit(String name, Adapter other) {
        choices().forEach(each -> layers(each, wanted -> wanted.equals(name) ? other : model.adapter(wanted)));
    }

    /**
     * Takes an adapter that is going to be deleted out of all that is chosen.
     *
     * @throws ConfigurationException when it is chosen for a group of rows, which would be left without one
     */
    void drop(String name) {
        if (choices().anyMatch(each -> each.byRow() && each.names().contains(name))) {
            throw new ConfigurationException("cannot delete adapter '" + name + "': rows of a batch run through it; "
                    + "activate others first");
        }
        set(choice.without(name));
        suspended.forEach(each -> each.before = each.before.without(name));
    }

    private Stream<Choice> choices() {
        return Stream.concat(Stream.of(choice), suspended.stream().map(each -> each.before));
    }

    private LayerSelection layers(Choice of, Function<String, Adapter> lookup) {
        return of.byRow() ? RowLayers.of(model.network(), lookup, of.names())
                : ActiveLayers.of(byName(of.names(), lookup));
    }

    private static Map<String, Adapter> byName(List<String> names, Function<String, Adapter> lookup) {
        Map<String, Adapter> chosen = new LinkedHashMap<>();
        names.forEach(name -> chosen.put(name, lookup.apply(name)));
        return chosen;
    }

    // ---- merging

    /** Merges what is active into copies of the base layers. */
    void merge() {
        requireMergeable();
        merged = ActiveLayers.merge(byName(choice.names(), model::adapter));
        layers = ActiveLayers.ofMerged(merged);
    }

    /**
     * Looks whether the choice is one that can be merged.
     *
     * @throws ConfigurationException when it is not
     */
    void requireMergeable() {
        requireUnmerged("merge again");
        if (choice.byRow()) {
            throw new ConfigurationException("cannot merge adapters that are active by row: one weight cannot be "
                    + "another one on some rows; activate() the one to merge");
        }
        if (choice.names().isEmpty()) {
            throw new ConfigurationException("there is nothing to merge: no adapter is active");
        }
    }

    /** Goes back to what was active, and frees the copies. */
    void unmerge() {
        if (isMerged()) {
            Map<String, MergedLayer> before = merged;
            merged = Map.of();
            refresh();
            before.values().forEach(MergedLayer::close);
        }
    }

    /** Whether layers with adapters merged into them run. */
    boolean isMerged() {
        return !merged.isEmpty();
    }

    /** The merged weights by their names in a checkpoint. */
    Map<String, INDArray> mergedWeights() {
        return ActiveLayers.weights(model.network(), merged);
    }

    void requireUnmerged(String what) {
        if (isMerged()) {
            throw new ConfigurationException("cannot " + what + " while adapters are merged; call unmerge() first");
        }
    }

    /** Nothing is active any more, nor after any scope. */
    void clear() {
        unmerge();
        suspended.clear();
        set(Choice.NOTHING);
    }
}
