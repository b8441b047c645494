package io.peft4j.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.lora.LoraConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.EarlyStoppingResult;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CollectScoresListener;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** What DeepLearning4J does with a network works on one with an adapter. */
class TrainingTest {
    private static MultiLayerNetwork network(IUpdater updater, Layer... layers) {
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder().seed(5).updater(updater)
                .activation(Activation.TANH).l2(1e-3).list(layers);
        MultiLayerNetwork network = new MultiLayerNetwork(list.build());
        network.init();
        return network;
    }

    private static Layer dense(String name, int in, int out) {
        return new DenseLayer.Builder().name(name).nIn(in).nOut(out).build();
    }

    private static Layer out(int in) {
        return new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT).name("out").nIn(in).nOut(2)
                .activation(Activation.SOFTMAX).build();
    }

    private static LoraConfig lora(String... targets) {
        return LoraConfig.builder().rank(2).alpha(4).targetModules(targets).build();
    }

    private static DataSet examples(int count) {
        Nd4j.getRandom().setSeed(1);
        INDArray x = Nd4j.randn(DataType.FLOAT, count, 4);
        INDArray y = Nd4j.zeros(DataType.FLOAT, count, 2);
        for (int i = 0; i < count; i++) {
            y.putScalar(i, x.getDouble(i, 0) * x.getDouble(i, 1) > 0 ? 1 : 0, 1);
        }
        return new DataSet(x, y);
    }

    private static float[] floats(INDArray array) {
        return array.dup('c').data().asFloat();
    }

    @Test
    void listenersAndEarlyStoppingSeeTheTraining() {
        MultiLayerNetwork base = network(new Adam(0.05), dense("hidden", 4, 8), out(8));
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, lora("hidden", "out"));
        CollectScoresListener scores = new CollectScoresListener(1);
        adapted.setListeners(scores);
        DataSet data = examples(32);
        var stopping = new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
                .epochTerminationConditions(new MaxEpochsTerminationCondition(6))
                .scoreCalculator(new DataSetLossCalculator(new ListDataSetIterator<>(data.asList(), 32), true))
                .modelSaver(new InMemoryModelSaver<>()).build();

        EarlyStoppingResult<MultiLayerNetwork> result = new EarlyStoppingTrainer(stopping, adapted,
                new ListDataSetIterator<>(data.asList(), 16)).fit();

        assertEquals(12, scores.getListScore().size());
        MultiLayerNetwork best = result.getBestModel();
        assertEquals(result.getScoreVsEpoch().get(result.getBestModelEpoch()), best.score(data), 1e-5);
        assertTrue(best.score(data) < base.score(data));
        assertArrayEquals(floats(base.getParam("0_W")), floats(best.getParam("0_W")));
    }

    @Test
    void theLearningRateOfTheAdapterCanBeChanged() {
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(network(new Sgd(0.1), dense("hidden", 4, 8), out(8)),
                lora("hidden"));
        float[] before = floats(adapted.params());

        adapted.setLearningRate(0.0);
        adapted.fit(examples(8));

        assertArrayEquals(before, floats(adapted.params()));
        assertEquals(0, adapted.getLearningRate(0));
    }

    @Test
    void anUpdaterOfItsOwnTrainsTheAdapterAlone() {
        MultiLayerNetwork base = network(new Sgd(0.0), dense("hidden", 4, 8), out(8));
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, lora("hidden"), new Sgd(0.5));

        adapted.fit(examples(8));

        assertFalse(adapted.getParam("0_W.loraB").equals(Nd4j.zeros(8, 2)));
        assertEquals(0.0, base.getLearningRate(0));
    }

    @Test
    void aLayerTrainedAsAWholeChangesAndIsInThePlainNetwork() {
        MultiLayerNetwork base = network(new Adam(0.05), dense("hidden", 4, 8), dense("more", 8, 8), out(8));
        LoraConfig config = lora("hidden").toBuilder().modulesToSave("out").build();
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, config);

        adapted.fit(examples(16));

        assertFalse(base.getParam("2_W").equalsWithEps(adapted.getParam("2_W"), 1e-3));
        assertArrayEquals(floats(base.getParam("1_W")), floats(adapted.getParam("1_W")));
        assertArrayEquals(floats(adapted.getParam("2_W")), floats(Dl4jAdapters.merge(adapted).getParam("2_W")));
    }

    /** A frozen layer of DeepLearning4J stops the gradient; ours lets it through to adapters below. */
    @Test
    void adaptersLearnBelowLayersThatWereFrozenBefore() {
        MultiLayerNetwork base = network(new Adam(0.05), dense("hidden", 4, 8), new FrozenLayer(dense("more", 8, 8)),
                out(8));
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base, lora("hidden"));

        adapted.fit(examples(16));

        assertFalse(adapted.getParam("0_W.loraB").equals(Nd4j.zeros(8, 2)));
        assertEquals(FrozenLayer.class, Dl4jAdapters.merge(adapted).getLayerWiseConfigurations().getConf(1).getLayer()
                .getClass());
    }

    @Test
    void stepsInTimeEqualTheWholeSequence() {
        MultiLayerNetwork adapted = recurrent(BackpropType.Standard);
        INDArray x = Nd4j.randn(DataType.FLOAT, 2, 3, 5);
        INDArray whole = adapted.output(x);

        INDArray last = null;
        for (int t = 0; t < 5; t++) {
            last = adapted.rnnTimeStep(x.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1)));
        }

        assertArrayEquals(floats(whole.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(4, 5))),
                floats(last), 1e-6f);
    }

    @Test
    void truncatedBackpropagationTrainsTheAdapterAlone() {
        MultiLayerNetwork adapted = recurrent(BackpropType.TruncatedBPTT);
        float[] frozen = floats(adapted.getParam("0_RW"));
        INDArray x = Nd4j.randn(DataType.FLOAT, 2, 3, 6);
        INDArray y = Nd4j.zeros(DataType.FLOAT, 2, 2, 6);
        y.get(NDArrayIndex.all(), NDArrayIndex.point(1), NDArrayIndex.all()).assign(1);
        DataSet data = new DataSet(x, y);
        double before = adapted.score(data);

        adapted.fit(data);

        assertTrue(adapted.score(data) < before);
        assertArrayEquals(frozen, floats(adapted.getParam("0_RW")));
    }

    private static MultiLayerNetwork recurrent(BackpropType type) {
        MultiLayerNetwork base = new MultiLayerNetwork(new NeuralNetConfiguration.Builder().seed(5)
                .updater(new Adam(0.05)).list()
                .layer(new LSTM.Builder().name("lstm").nIn(3).nOut(4).build())
                .layer(new RnnOutputLayer.Builder(LossFunctions.LossFunction.MCXENT).name("out").nIn(4).nOut(2)
                        .activation(Activation.SOFTMAX).build())
                .backpropType(type).tBPTTLength(type == BackpropType.Standard ? 20 : 2).build());
        base.init();
        return Dl4jAdapters.withAdapter(base, lora("lstm", "out"));
    }

    /** Batch normalization between an adapter and the loss, frozen: central differences in double. */
    @Test
    void gradientsGoThroughFrozenNormalization() {
        for (boolean image : List.of(false, true)) {
            MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(normalized(image), lora("first"));
            INDArray x = image ? Nd4j.randn(DataType.DOUBLE, 3, 1, 4, 4) : Nd4j.randn(DataType.DOUBLE, 3, 4);
            INDArray y = Nd4j.create(new double[][] {{1, 0}, {0, 1}, {1, 0}});
            DataSet data = new DataSet(x, y);
            adapted.setInput(x);
            adapted.setLabels(y);
            adapted.computeGradientAndScore();
            Set<String> keys = adapted.gradient().gradientForVariable().keySet();
            assertEquals(Set.of("0_W.loraA", "0_W.loraB"), keys);
            List<Double> found = new ArrayList<>();
            List<Double> expected = new ArrayList<>();
            INDArray b = adapted.getParam("0_W.loraB");
            for (int i = 0; i < b.length(); i++) {
                found.add(adapted.gradient().getGradientFor("0_W.loraB").getDouble(i) / 3);
            }
            for (int i = 0; i < b.length(); i++) {
                b.putScalar(i, 1e-5);
                double above = adapted.score(data, true);
                b.putScalar(i, -1e-5);
                expected.add((above - adapted.score(data, true)) / 2e-5);
                b.putScalar(i, 0);
            }
            for (int i = 0; i < found.size(); i++) {
                assertEquals(expected.get(i), found.get(i), 1e-7, "element " + i + " of " + found.size());
            }
        }
    }

    private static MultiLayerNetwork normalized(boolean image) {
        Layer first = image ? new ConvolutionLayer.Builder(2, 2).name("first").nOut(3).build()
                : new DenseLayer.Builder().name("first").nOut(3).build();
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder().seed(5)
                .dataType(DataType.DOUBLE).updater(new Sgd(1)).activation(Activation.TANH).list().layer(first)
                .layer(new BatchNormalization.Builder().name("norm").build())
                .layer(new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT).name("out").nOut(2)
                        .activation(Activation.SOFTMAX).build())
                .setInputType(image ? InputType.convolutional(4, 4, 1) : InputType.feedForward(4)).build());
        network.init();
        network.getParam("1_mean").addi(0.3);
        network.getParam("1_log10stdev").addi(-0.2);
        network.getParam("1_gamma").muli(1.7);
        return network;
    }
}
