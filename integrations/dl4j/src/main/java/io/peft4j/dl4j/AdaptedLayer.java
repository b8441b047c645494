package io.peft4j.dl4j;

import io.peft4j.core.peft.method.PeftMethods;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * A layer with frozen parameters in the configuration of a network, with an adapter or without. It is in the JSON
 * of the network, so that {@link org.deeplearning4j.util.ModelSerializer} restores the network with its adapter. Made
 * by {@link Dl4jAdapters}.
 *
 * <p>Its parameters are those of the layer that it holds, which are never updated, and those of the adapter, which get
 * the updater and the regularization that the layer has for the adapted weight.
 */
final class AdaptedLayer extends BaseWrapperLayer {
    private static final long serialVersionUID = 1;

    /** The content of {@code adapter_config.json}; empty where the layer is only frozen. */
    private String config = "";
    /** The path of each adapted weight in the network by the key of the parameter. */
    private Map<String, String> adapted = new LinkedHashMap<>();
    private transient Map<Weight, WeightUpdate> changes;

    /** For JSON. */
    AdaptedLayer() {
    }

    /**
     * A layer with frozen parameters.
     *
     * @param layer the layer
     * @param config the content of {@code adapter_config.json}; empty where it gets no adapter
     * @param adapted the path of each adapted weight in the network by the key of the parameter
     */
    public AdaptedLayer(Layer layer, String config, Map<String, String> adapted) {
        super(layer);
        setLayerName(layer.getLayerName());
        setIDropout(null);
        this.config = config;
        this.adapted = new LinkedHashMap<>(adapted);
    }

    /** The content of {@code adapter_config.json}; empty where the layer is only frozen. */
    public String getConfig() {
        return config;
    }

    /** For JSON. */
    void setConfig(String config) {
        this.config = config;
    }

    /** The path of each adapted weight in the network by the key of the parameter. */
    public Map<String, String> getAdapted() {
        return adapted;
    }

    /** For JSON. */
    void setAdapted(Map<String, String> adapted) {
        this.adapted = new LinkedHashMap<>(adapted);
    }

    /** What the adapter makes of the weights, in their order. */
    Map<Weight, WeightUpdate> changes() {
        if (changes == null) {
            changes = new LinkedHashMap<>();
            if (!adapted.isEmpty()) {
                NetworkMethod.Configured<?> method = NetworkMethod.of(PeftMethods.readConfig(config,
                        "the adapter of layer " + getLayerName()));
                LayerWeights.of(underlying).stream().filter(weight -> adapted.containsKey(weight.key()))
                        .forEach(weight -> changes.put(weight, method.change(adapted.get(weight.key()), weight)));
            }
        }
        return changes;
    }

    private AdaptedParams params() {
        return new AdaptedParams(LayerWeights.running(underlying), changes());
    }

    @Override
    public ParamInitializer initializer() {
        return params();
    }

    @Override
    public org.deeplearning4j.nn.api.Layer instantiate(NeuralNetConfiguration conf,
            Collection<TrainingListener> listeners, int index, INDArray view, boolean initialize, DataType type) {
        LayerArrays running = new LayerArrays(this, params(), conf, view, initialize, type, index);
        return running.layer(listeners);
    }

    /** The updater of the layer for the adapter's parameters, none for those of the layer. */
    @Override
    public IUpdater getUpdaterByParam(String name) {
        String weight = params().adaptedBy(name);
        return weight.isEmpty() ? new NoOp() : LayerWeights.trained(underlying).getUpdaterByParam(weight);
    }

    @Override
    public List<Regularization> getRegularizationByParam(String name) {
        String weight = params().adaptedBy(name);
        return weight.isEmpty() ? List.of() : LayerWeights.trained(underlying).getRegularizationByParam(weight);
    }

    @Override
    public boolean isPretrainParam(String name) {
        return false;
    }

    @Override
    public void setDataType(DataType type) {
        underlying.setDataType(type);
    }

    @Override
    public Layer clone() {
        AdaptedLayer copy = (AdaptedLayer) super.clone();
        copy.underlying = underlying.clone();
        copy.adapted = new LinkedHashMap<>(adapted);
        copy.changes = null;
        return copy;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AdaptedLayer that && Objects.equals(underlying, that.underlying)
                && config.equals(that.config) && adapted.equals(that.adapted);
    }

    @Override
    protected boolean canEqual(Object other) {
        return other instanceof AdaptedLayer;
    }

    @Override
    public int hashCode() {
        return Objects.hash(underlying, config, adapted);
    }

    @Override
    public String toString() {
        return "AdaptedLayer(" + underlying + ", adapted " + new ArrayList<>(adapted.values()) + ")";
    }
}
