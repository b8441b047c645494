package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.train.optimizer.Updates;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The adapters of lower decoder layers, which a training leaves as they are after some epochs ({@link
 * TrainingOptions#freezeLower}). When follows from the number of updates alone, so that a resumed training does the
 * same.
 *
 * @param epochs after how many; 0 for never
 * @param first the first layer that is trained to the end
 * @param parameters those of the layers before it
 */
record LowerLayers(int epochs, int first, List<Parameter> parameters) {
    private static final Logger LOG = LoggerFactory.getLogger(LowerLayers.class);

    /**
     * Those of a training.
     *
     * @throws ConfigurationException when they cannot be left as they are
     */
    static LowerLayers of(TrainingTask task, Collection<TrainingHook> hooks, int workers) {
        if (task.options().freezeLower() == 0) {
            return new LowerLayers(0, 0, List.of());
        }
        Network network = task.model().network();
        int adapted;
        try (ModelLease lease = task.model().lease()) {
            adapted = FrozenStates.firstChanged(network, lease.layers());
        }
        int first = adapted + 3 * (network.decoderLayers().size() - adapted) / 5;
        require(first > adapted, "the model has too few decoder layers");
        require(workers == 1, "it is divided among " + Count.of(workers, "worker"));
        require(task.options().neftuneAlpha() == 0, "there is noise on the embeddings");
        require(network.routerLossCoefficient() == 0, "the routers of all layers have a loss");
        require(task.options().updateRule() == UpdateRule.PLAIN && hooks.stream().allMatch(TrainingHook.NONE::equals),
                "its updates take several parameters together");
        List<AdapterLayer> lower = task.model().activeAdapters().stream().map(task.model()::adapter)
                .peek(LowerLayers::requireLayersAlone).flatMap(adapter -> adapter.layers().stream())
                .filter(layer -> isBelow(layer, network, first)).toList();
        require(lower.stream().noneMatch(AdapterLayer::hasDropout), "their adapters have dropout");
        return new LowerLayers(task.options().freezeLower(), first, lower.stream()
                .flatMap(layer -> layer.tensors().stream()).map(AdapterTensor::parameter).toList());
    }

    private static void requireLayersAlone(Adapter adapter) {
        require(adapter.sharedTensors().isEmpty() && adapter.virtualTokens() == 0 && adapter.layersBeside() == 0
                && adapter.invocation().isEmpty()
                && adapter.layers().stream().noneMatch(
                        layer -> layer.readsWholeSequences() || layer.averagesInTraining()),
                "the method " + adapter.config().peftType() + " has more than layers that work by themselves");
    }

    private static boolean isBelow(AdapterLayer layer, Network network, int first) {
        return layer.slot().path().equals(network.embedding().path()) || network.decoderLayers().subList(0, first)
                .stream().anyMatch(each -> (layer.slot().path() + ".").startsWith(each.path() + "."));
    }

    private static void require(boolean ok, String obstacle) {
        if (!ok) {
            throw new ConfigurationException("lower layers cannot be frozen in this training: " + obstacle
                    + "; leave freeze-lower out");
        }
    }

    /** Leaves them as they are from here on, where so many updates are done. */
    void freezeWhereDue(long step, int stepsPerEpoch, FrozenStates states, Updates optimizer) {
        if (epochs > 0 && step >= (long) epochs * stepsPerEpoch && states.freezeBelow(first)) {
            optimizer.leave(parameters);
            LOG.info("the adapters below decoder layer {} are frozen after {}", first, Count.of(epochs, "epoch"));
        }
    }
}
