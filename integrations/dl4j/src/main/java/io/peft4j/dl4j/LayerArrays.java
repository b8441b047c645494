package io.peft4j.dl4j;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The arrays of an adapted layer that runs. The layer itself computes on a copy of its parameters, in which the adapted
 * weights are changed before each pass. Its gradients go where the network has the gradients of the frozen parameters,
 * serve for those of the adapter, and are zeros again when the pass is over.
 */
final class LayerArrays {
    private final AdaptedLayer conf;
    private final AdaptedParams params;
    private final NeuralNetConfiguration innerConf;
    private final List<AdaptedWeight> weights = new ArrayList<>();
    private final Map<String, INDArray> table = new LinkedHashMap<>();
    private final Layer layer;
    private final INDArray working;
    private INDArray all;
    private INDArray frozen;
    private INDArray allGradients;
    private INDArray frozenGradients;

    /**
     * For a configuration and the layer's part of the network's parameters.
     *
     * @param initialize whether the parameters are to be drawn
     */
    public LayerArrays(AdaptedLayer conf, AdaptedParams params, NeuralNetConfiguration network, INDArray view,
            boolean initialize, DataType type, int index) {
        this.conf = conf;
        this.params = params;
        this.innerConf = params.innerConf(network);
        params.changes().forEach((weight, change) -> weights.add(new AdaptedWeight(weight, change)));
        params.init(network, view, initialize);
        if (weights.isEmpty()) {
            this.working = params.frozenPart(view);
        } else {
            try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
                this.working = Nd4j.create(type, params.frozen());
            }
        }
        this.layer = params.layer().instantiate(innerConf, null, index, working, false, type);
        bind(view);
    }

    /** The layer as DeepLearning4J runs it, of the same kind as the one inside. */
    public Layer layer(Collection<TrainingListener> listeners) {
        if (listeners != null) {
            layer.setListeners(listeners);
        }
        if (layer instanceof IOutputLayer output) {
            return new RunningOutputLayer(output, this);
        }
        return layer instanceof RecurrentLayer recurrent ? new RunningRecurrentLayer(recurrent, this)
                : new RunningLayer(layer, this);
    }

    /** Takes the network's parameters. */
    void bind(INDArray view) {
        all = view;
        frozen = params.frozenPart(view);
        table.clear();
        table.putAll(params.frozenTable(innerConf, frozen, false));
        Map<String, INDArray> own = new LinkedHashMap<>(table);
        Map<String, INDArray> changed = params.frozenTable(innerConf, working, false);
        Map<Weight, INDArray> parts = params.parts(view);
        weights.forEach(weight -> {
            weight.bind(own, changed, parts.get(weight.weight()));
            table.putAll(weight.values());
        });
    }

    /** Takes the network's gradients. */
    void bindGradients(INDArray view) {
        allGradients = view;
        frozenGradients = params.frozenPart(view);
        layer.setBackpropGradientsViewArray(frozenGradients);
        Map<String, INDArray> own = params.frozenTable(innerConf, frozenGradients, false);
        Map<Weight, INDArray> parts = params.parts(view);
        weights.forEach(weight -> weight.bindGradients(own, parts.get(weight.weight())));
    }

    /** Changes the weights for a pass. */
    void refresh() {
        if (!weights.isEmpty()) {
            working.assign(frozen);
            weights.forEach(weight -> weight.change().apply(weight));
        }
    }

    /** Computes the adapter's gradients from the layer's, which are cleared. */
    void backward() {
        weights.forEach(weight -> weight.change().backward(weight));
        frozenGradients.assign(0);
    }

    AdaptedLayer conf() {
        return conf;
    }

    List<AdaptedWeight> weights() {
        return weights;
    }

    Map<String, INDArray> table() {
        return table;
    }

    INDArray all() {
        return all;
    }

    INDArray frozen() {
        return frozen;
    }

    INDArray allGradients() {
        return allGradients;
    }

    boolean isOfAdapter(String name) {
        return !params.adaptedBy(name).isEmpty();
    }

    /** A layer over time, step by step too. */
    private static final class RunningRecurrentLayer extends RunningLayer implements RecurrentLayer {
        private static final long serialVersionUID = 1;

        private final RecurrentLayer layer;

        RunningRecurrentLayer(RecurrentLayer layer, LayerArrays running) {
            super(layer, running);
            this.layer = layer;
        }

        @Override
        public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaces) {
            running().refresh();
            return layer.rnnTimeStep(input, workspaces);
        }

        @Override
        public INDArray rnnActivateUsingStoredState(INDArray input, boolean training, boolean storeLastForTruncated,
                LayerWorkspaceMgr workspaces) {
            running().refresh();
            return layer.rnnActivateUsingStoredState(input, training, storeLastForTruncated, workspaces);
        }

        @Override
        public Pair<Gradient, INDArray> tbpttBackpropGradient(INDArray epsilon, int length,
                LayerWorkspaceMgr workspaces) {
            return adapted(layer.tbpttBackpropGradient(epsilon, length, workspaces));
        }

        @Override
        public Map<String, INDArray> rnnGetPreviousState() {
            return layer.rnnGetPreviousState();
        }

        @Override
        public void rnnSetPreviousState(Map<String, INDArray> state) {
            layer.rnnSetPreviousState(state);
        }

        @Override
        public void rnnClearPreviousState() {
            layer.rnnClearPreviousState();
        }

        @Override
        public Map<String, INDArray> rnnGetTBPTTState() {
            return layer.rnnGetTBPTTState();
        }

        @Override
        public void rnnSetTBPTTState(Map<String, INDArray> state) {
            layer.rnnSetTBPTTState(state);
        }
    }

    /** A layer with a loss. In a training it is not run forward before it is run back. */
    private static final class RunningOutputLayer extends RunningLayer implements IOutputLayer {
        private static final long serialVersionUID = 1;

        private final IOutputLayer layer;

        RunningOutputLayer(IOutputLayer layer, LayerArrays running) {
            super(layer, running);
            this.layer = layer;
        }

        @Override
        public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
            running().refresh();
            return super.backpropGradient(epsilon, workspaces);
        }

        @Override
        public double computeScore(double regularization, boolean training, LayerWorkspaceMgr workspaces) {
            running().refresh();
            return layer.computeScore(regularization, training, workspaces);
        }

        @Override
        public INDArray computeScoreForExamples(double regularization, LayerWorkspaceMgr workspaces) {
            running().refresh();
            return layer.computeScoreForExamples(regularization, workspaces);
        }

        @Override
        public boolean needsLabels() {
            return layer.needsLabels();
        }

        @Override
        public void setLabels(INDArray labels) {
            layer.setLabels(labels);
        }

        @Override
        public INDArray getLabels() {
            return layer.getLabels();
        }

        @Override
        public double f1Score(DataSet data) {
            running().refresh();
            return layer.f1Score(data);
        }

        @Override
        public double f1Score(INDArray examples, INDArray labels) {
            running().refresh();
            return layer.f1Score(examples, labels);
        }

        @Override
        @Deprecated
        public int numLabels() {
            return layer.numLabels();
        }

        @Override
        public int[] predict(INDArray examples) {
            running().refresh();
            return layer.predict(examples);
        }

        @Override
        public List<String> predict(DataSet data) {
            running().refresh();
            return layer.predict(data);
        }

        @Override
        public void fit(DataSetIterator data) {
            throw alone();
        }

        @Override
        public void fit(INDArray examples, INDArray labels) {
            throw alone();
        }

        @Override
        public void fit(DataSet data) {
            throw alone();
        }

        @Override
        public void fit(INDArray examples, int[] labels) {
            throw alone();
        }

        private static UnsupportedOperationException alone() {
            return new UnsupportedOperationException("a layer is trained with its network, not alone");
        }
    }
}
