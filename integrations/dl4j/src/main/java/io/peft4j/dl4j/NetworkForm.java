package io.peft4j.dl4j;

import io.peft4j.core.error.ConfigurationException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * A network of either class as named layers, and the way to the same network with other ones.
 *
 * @param <N> the class
 */
interface NetworkForm<N extends Model> {
    N network();

    /** The layers of the configuration by name, in the order of the parameters. */
    Map<String, Layer> layers();

    /** The layer that runs under a name. */
    org.deeplearning4j.nn.api.Layer running(String name);

    long seed();

    /** The configuration with other layers, and parameters that are all zero. */
    N with(BiFunction<String, Layer, Layer> replacement);

    /** The form of another network of the same class. */
    NetworkForm<N> form(N other);

    static NetworkForm<MultiLayerNetwork> of(MultiLayerNetwork network) {
        return new Stack(network);
    }

    static NetworkForm<ComputationGraph> of(ComputationGraph network) {
        return new Graph(network);
    }

    /**
     * The form of a network of one of the two classes.
     *
     * @throws ConfigurationException when it is of another
     */
    static NetworkForm<? extends Model> of(Model network) {
        if (network instanceof MultiLayerNetwork stack) {
            return of(stack);
        }
        if (network instanceof ComputationGraph graph) {
            return of(graph);
        }
        throw new ConfigurationException("a " + network.getClass().getSimpleName() + " cannot have an adapter; only "
                + "MultiLayerNetwork and ComputationGraph can");
    }

    static void setUpdater(Layer layer, IUpdater updater) {
        Layer running = LayerWeights.running(layer);
        if (running instanceof BaseLayer plain) {
            plain.setIUpdater(updater.clone());
            plain.setBiasUpdater(null);
        } else if (running instanceof AbstractSameDiffLayer plain) {
            plain.setUpdater(updater.clone());
            plain.setBiasUpdater(null);
        } else {
            LayerWeights.inside(running).forEach(inner -> setUpdater(inner, updater));
        }
    }

    private static Layer replaced(String name, NeuralNetConfiguration conf,
            BiFunction<String, Layer, Layer> replacement) {
        Layer layer = replacement.apply(name, conf.getLayer());
        conf.setLayer(layer);
        conf.clearVariables();
        return layer;
    }

    private static INDArray zeros(DataType type, long count) {
        return Nd4j.zeros(type, 1, count);
    }

    /** Layers one after the other. */
    record Stack(MultiLayerNetwork network) implements NetworkForm<MultiLayerNetwork> {
        @Override
        public NetworkForm<MultiLayerNetwork> form(MultiLayerNetwork other) {
            return new Stack(other);
        }

        @Override
        public Map<String, Layer> layers() {
            Map<String, Layer> layers = new LinkedHashMap<>();
            List<String> names = network.getLayerNames();
            for (int i = 0; i < names.size(); i++) {
                if (layers.put(names.get(i), network.getLayerWiseConfigurations().getConf(i).getLayer()) != null) {
                    throw new ConfigurationException("two layers of the network are called '" + names.get(i)
                            + "'; give each a name of its own");
                }
            }
            return layers;
        }

        @Override
        public org.deeplearning4j.nn.api.Layer running(String name) {
            return network.getLayer(network.getLayerNames().indexOf(name));
        }

        @Override
        public long seed() {
            return network.getLayerWiseConfigurations().getConf(0).getSeed();
        }

        @Override
        public MultiLayerNetwork with(BiFunction<String, Layer, Layer> replacement) {
            MultiLayerConfiguration conf = network.getLayerWiseConfigurations().clone();
            conf.setIterationCount(0);
            conf.setEpochCount(0);
            long count = 0;
            List<String> names = network.getLayerNames();
            for (int i = 0; i < names.size(); i++) {
                NeuralNetConfiguration one = conf.getConf(i);
                one.setIterationCount(0);
                one.setEpochCount(0);
                Layer layer = replaced(names.get(i), one, replacement);
                count += layer.initializer().numParams(layer);
            }
            MultiLayerNetwork made = new MultiLayerNetwork(conf);
            made.init(zeros(conf.getDataType(), count), false);
            return made;
        }
    }

    /** Any graph. */
    record Graph(ComputationGraph network) implements NetworkForm<ComputationGraph> {
        @Override
        public NetworkForm<ComputationGraph> form(ComputationGraph other) {
            return new Graph(other);
        }

        @Override
        public Map<String, Layer> layers() {
            Map<String, Layer> layers = new LinkedHashMap<>();
            network.getConfiguration().getVertices().forEach((name, vertex) -> {
                if (vertex instanceof LayerVertex layer) {
                    layers.put(name, layer.getLayerConf().getLayer());
                } else if (vertex.numParams(true) > 0) {
                    throw new ConfigurationException("vertex '" + name + "' of the graph ("
                            + vertex.getClass().getSimpleName() + ") has parameters of its own, which cannot be "
                            + "frozen; only the layers of a graph can");
                }
            });
            return layers;
        }

        @Override
        public org.deeplearning4j.nn.api.Layer running(String name) {
            return network.getLayer(name);
        }

        @Override
        public long seed() {
            return network.getConfiguration().getDefaultConfiguration().getSeed();
        }

        @Override
        public ComputationGraph with(BiFunction<String, Layer, Layer> replacement) {
            ComputationGraphConfiguration conf = network.getConfiguration().clone();
            conf.setIterationCount(0);
            conf.setEpochCount(0);
            long count = 0;
            for (Map.Entry<String, GraphVertex> vertex : conf.getVertices().entrySet()) {
                if (vertex.getValue() instanceof LayerVertex layer) {
                    replaced(vertex.getKey(), layer.getLayerConf(), replacement);
                }
                count += vertex.getValue().numParams(true);
            }
            ComputationGraph made = new ComputationGraph(conf);
            made.init(zeros(conf.getDataType(), count), false);
            return made;
        }
    }
}
