package io.peft4j.dl4j;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The parameters of an adapted layer in the flat array of a network: first those of the layer, then, weight by weight,
 * the tensors of the adapter.
 *
 * @param layer the layer as it was
 * @param changes what the adapter makes of its weights
 */
record AdaptedParams(Layer layer, Map<Weight, WeightUpdate> changes) implements ParamInitializer {
    /** How many parameters the layer has. */
    long frozen() {
        return layer.initializer().numParams(layer);
    }

    /** The key of the weight that a tensor of the adapter belongs to; empty for a parameter of the layer. */
    public String adaptedBy(String name) {
        return changes.keySet().stream().filter(weight -> keys(weight).contains(name)).map(Weight::key).findFirst()
                .orElse("");
    }

    private List<String> keys(Weight weight) {
        return changes.get(weight).tensors().stream().map(tensor -> AdaptedWeight.key(weight, tensor)).toList();
    }

    private List<String> adapterKeys() {
        return changes.keySet().stream().flatMap(weight -> keys(weight).stream()).toList();
    }

    @Override
    public long numParams(NeuralNetConfiguration conf) {
        return numParams(conf.getLayer());
    }

    @Override
    public long numParams(Layer adapted) {
        return frozen() + changes.values().stream().mapToLong(AdaptedWeight::length).sum();
    }

    @Override
    public List<String> paramKeys(Layer adapted) {
        return with(layer.initializer().paramKeys(layer));
    }

    @Override
    public List<String> weightKeys(Layer adapted) {
        return with(layer.initializer().weightKeys(layer));
    }

    private List<String> with(List<String> keys) {
        List<String> all = new ArrayList<>(keys);
        all.addAll(adapterKeys());
        return all;
    }

    @Override
    public List<String> biasKeys(Layer adapted) {
        return layer.initializer().biasKeys(layer);
    }

    @Override
    public boolean isWeightParam(Layer adapted, String key) {
        return weightKeys(adapted).contains(key);
    }

    @Override
    public boolean isBiasParam(Layer adapted, String key) {
        return biasKeys(adapted).contains(key);
    }

    @Override
    public Map<String, INDArray> init(NeuralNetConfiguration conf, INDArray view, boolean initialize) {
        Map<String, INDArray> table = frozenTable(conf, frozenPart(view), initialize);
        conf.clearVariables();
        table.keySet().forEach(conf::addVariable);
        if (initialize) {
            Map<String, INDArray> base = new LinkedHashMap<>(table);
            SplittableRandom random = new SplittableRandom(conf.getSeed());
            parts(view).forEach((weight, part) -> {
                AdaptedWeight adapted = new AdaptedWeight(weight, changes.get(weight));
                adapted.bind(base, base, part);
                adapted.change().begin(adapted, random);
            });
        }
        parts(view).forEach((weight, part) -> table.putAll(AdaptedWeight.views(weight, changes.get(weight), part)));
        adapterKeys().forEach(conf::addVariable);
        return table;
    }

    @Override
    public Map<String, INDArray> getGradientsFromFlattened(NeuralNetConfiguration conf, INDArray view) {
        Map<String, INDArray> table = frozenTable(conf, frozenPart(view), false);
        parts(view).forEach((weight, part) -> table.putAll(AdaptedWeight.views(weight, changes.get(weight), part)));
        return table;
    }

    /** The part of a flat array that belongs to the layer. */
    INDArray frozenPart(INDArray view) {
        return view.reshape(view.length()).get(NDArrayIndex.interval(0, frozen()));
    }

    /** The part of a flat array that belongs to the adapter of each weight. */
    Map<Weight, INDArray> parts(INDArray view) {
        Map<Weight, INDArray> parts = new LinkedHashMap<>();
        INDArray flat = view.reshape(view.length());
        long from = frozen();
        for (Map.Entry<Weight, WeightUpdate> change : changes.entrySet()) {
            long to = from + AdaptedWeight.length(change.getValue());
            parts.put(change.getKey(), flat.get(NDArrayIndex.interval(from, to)));
            from = to;
        }
        return parts;
    }

    /**
     * The layer's own parameters, or their gradients, which lie alike, in the order in which they lie there, which
     * updaters expect.
     */
    Map<String, INDArray> frozenTable(NeuralNetConfiguration conf, INDArray part, boolean initialize) {
        Map<String, INDArray> ordered = new LinkedHashMap<>();
        layer.initializer().init(innerConf(conf), part, initialize).entrySet().stream()
                .sorted(Comparator.comparingLong(entry -> entry.getValue().offset()))
                .forEach(entry -> ordered.put(entry.getKey(), entry.getValue()));
        return ordered;
    }

    /** The configuration with the layer as it was, the same object. */
    NeuralNetConfiguration innerConf(NeuralNetConfiguration conf) {
        NeuralNetConfiguration inner = conf.clone();
        inner.setLayer(layer);
        inner.clearVariables();
        return inner;
    }
}
