package io.peft4j.dl4j;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Broadcast;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * A layer whose own parameters are frozen, with an adapter or without. Its dropout and its weight noise work in
 * training as they do without us; batch normalization uses the statistics that it has, as they are frozen, too.
 */
class RunningLayer extends BaseWrapperLayer {
    private static final long serialVersionUID = 1;

    private final transient LayerArrays running;

    RunningLayer(Layer layer, LayerArrays running) {
        super(layer);
        this.running = running;
    }

    /** The arrays. */
    protected final LayerArrays running() {
        return running;
    }

    /** The adapted weights. */
    public List<AdaptedWeight> weights() {
        return running.weights();
    }

    /** Gives the adapter its first values. */
    public void begin(RandomGenerator random) {
        running.weights().forEach(weight -> weight.change().begin(weight, random));
    }

    /** The parameters that a plain layer computes the same with. */
    public Map<String, INDArray> merged() {
        running.refresh();
        return underlying.paramTable();
    }

    // ---- passes

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        running.refresh();
        return underlying.activate(training && !hasFrozenStatistics(), workspaces);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaces) {
        setInput(input, workspaces);
        return activate(training, workspaces);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        if (hasFrozenStatistics()) {
            return new Pair<>(new DefaultGradient(), FrozenNormalization.backward((BatchNormalization) underlying,
                    epsilon, workspaces));
        }
        return adapted(underlying.backpropGradient(epsilon, workspaces));
    }

    private boolean hasFrozenStatistics() {
        return underlying instanceof BatchNormalization;
    }

    /** What goes to the layer below, with the adapter's gradients. */
    protected final Pair<Gradient, INDArray> adapted(Pair<Gradient, INDArray> own) {
        running.backward();
        return new Pair<>(gradient(), own.getSecond());
    }

    @Override
    public Gradient gradient() {
        Gradient gradient = new DefaultGradient();
        running.weights().forEach(weight -> weight.gradients().forEach(gradient::setGradientFor));
        return gradient;
    }

    @Override
    public double calcRegularizationScore(boolean backpropParamsOnly) {
        double sum = 0;
        for (AdaptedWeight weight : running.weights()) {
            for (Map.Entry<String, INDArray> value : weight.values().entrySet()) {
                List<Regularization> terms = running.conf().getRegularizationByParam(value.getKey());
                for (Regularization term : terms == null ? List.<Regularization>of() : terms) {
                    sum += term.score(value.getValue(), getIterationCount(), getEpochCount());
                }
            }
        }
        return sum;
    }

    // ---- parameters

    @Override
    public TrainingConfig getConfig() {
        return running.conf();
    }

    @Override
    public boolean updaterDivideByMinibatch(String name) {
        return running.isOfAdapter(name);
    }

    @Override
    public INDArray params() {
        return running.all();
    }

    @Override
    public long numParams() {
        return running.all().length();
    }

    @Override
    public long numParams(boolean backwards) {
        return numParams();
    }

    @Override
    public void setParams(INDArray params) {
        if (params != running.all()) {
            running.all().assign(params.reshape(running.all().shape()));
        }
    }

    @Override
    public void setParamsViewArray(INDArray params) {
        running.bind(params);
    }

    @Override
    public INDArray getGradientsViewArray() {
        return running.allGradients();
    }

    @Override
    public void setBackpropGradientsViewArray(INDArray gradients) {
        running.bindGradients(gradients);
    }

    @Override
    public INDArray getParam(String name) {
        return running.table().get(name);
    }

    @Override
    public Map<String, INDArray> paramTable() {
        return new LinkedHashMap<>(running.table());
    }

    @Override
    public Map<String, INDArray> paramTable(boolean backpropParamsOnly) {
        return paramTable();
    }

    @Override
    public void setParamTable(Map<String, INDArray> values) {
        values.forEach(this::setParam);
    }

    @Override
    public void setParam(String name, INDArray value) {
        running.table().get(name).assign(value);
    }

    /** The frozen parameters keep the values that they have. */
    @Override
    public void applyConstraints(int iteration, int epoch) {
        // Nothing is constrained: constraints of the layer are on its own parameters.
    }

    @Override
    public boolean isPretrainLayer() {
        return false;
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    protected boolean canEqual(Object other) {
        return other instanceof RunningLayer;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    /**
     * The gradient of batch normalization that uses the statistics that it has: {@code dx = dy gamma / sqrt(var +
     * eps)}. DeepLearning4J's own is that of a normalization by the statistics of the batch.
     */
    private static final class FrozenNormalization {
        private FrozenNormalization() {
        }

        static INDArray backward(BatchNormalization layer, INDArray dy, LayerWorkspaceMgr workspaces) {
            org.deeplearning4j.nn.conf.layers.BatchNormalization conf = layer.layerConf();
            INDArray variance = layer.getParam(BatchNormalizationParamInitializer.GLOBAL_VAR);
            if (variance == null) {
                INDArray deviation = layer.getParam(BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
                variance = Transforms.pow(deviation.ulike().assign(10), deviation.mul(2));
            }
            INDArray factor = Transforms.sqrt(variance.add(conf.getEps()), false).rdivi(
                    conf.isLockGammaBeta() ? conf.getGamma() : 1);
            if (!conf.isLockGammaBeta()) {
                INDArray gamma = layer.getParam(BatchNormalizationParamInitializer.GAMMA);
                factor.muli(gamma.reshape(factor.shape()));
            }
            boolean channelsLast = dy.rank() == 4 && conf.getCnn2DFormat() == CNN2DFormat.NHWC;
            INDArray dx = workspaces.createUninitialized(ArrayType.ACTIVATION_GRAD, dy.dataType(), dy.shape(),
                    dy.ordering());
            return Broadcast.mul(dy, factor.reshape(factor.length()), dx, channelsLast ? 3 : 1);
        }
    }
}
