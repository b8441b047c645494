package io.peft4j.dl4j.internal;

import java.util.List;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** A layer with a loss. In a training it is not run forward before it is run back. */
final class RunningOutputLayer extends RunningLayer implements IOutputLayer {
    private static final long serialVersionUID = 1;

    private final IOutputLayer layer;

    RunningOutputLayer(IOutputLayer layer, Running running) {
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
