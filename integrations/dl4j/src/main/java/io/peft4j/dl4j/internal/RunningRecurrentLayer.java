package io.peft4j.dl4j.internal;

import java.util.Map;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer over time, step by step too. */
final class RunningRecurrentLayer extends RunningLayer implements RecurrentLayer {
    private static final long serialVersionUID = 1;

    private final RecurrentLayer layer;

    RunningRecurrentLayer(RecurrentLayer layer, Running running) {
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
    public Pair<Gradient, INDArray> tbpttBackpropGradient(INDArray epsilon, int length, LayerWorkspaceMgr workspaces) {
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
