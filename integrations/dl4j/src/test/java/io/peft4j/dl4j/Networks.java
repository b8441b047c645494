package io.peft4j.dl4j;

import io.peft4j.core.peft.config.PeftConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.provider.Arguments;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Tiny networks, one for each kind of layer that can be adapted: "below", the layer "kind", and an output layer. */
final class Networks {
    private static final int EXAMPLES = 3;
    private static final int CLASSES = 3;
    private static final int TIME = 4;

    private Networks() {
    }

    /** A kind of layer in a network. */
    record Kind(String name, Layer layer, InputType input, boolean pooled, long... shape) {
        private boolean tokensIn() {
            return layer instanceof EmbeddingLayer || layer instanceof EmbeddingSequenceLayer;
        }

        MultiLayerNetwork network(DataType type, IUpdater updater) {
            NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder().seed(7).dataType(type)
                    .updater(updater).activation(Activation.TANH).list();
            list.layer(layer.clone());
            if (pooled) {
                list.layer(new GlobalPoolingLayer.Builder(PoolingType.AVG).name("pool").build());
            }
            list.layer(new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT).name("out").nOut(CLASSES)
                    .activation(Activation.SOFTMAX).build());
            MultiLayerConfiguration conf = list.setInputType(input).build();
            MultiLayerNetwork network = new MultiLayerNetwork(conf);
            network.init();
            return network;
        }

        INDArray features(DataType type) {
            INDArray features = Nd4j.zeros(type, shape);
            Random random = new Random(3);
            for (long i = 0; i < features.length(); i++) {
                features.putScalar(i, tokensIn() ? random.nextInt(5) : random.nextGaussian());
            }
            return features;
        }

        INDArray labels(DataType type) {
            INDArray labels = Nd4j.zeros(type, EXAMPLES, CLASSES);
            for (int i = 0; i < EXAMPLES; i++) {
                labels.putScalar(i, (i + 1) % CLASSES, 1);
            }
            return labels;
        }

        boolean isSameDiff() {
            return layer instanceof SameDiffLayer;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Each kind with each method; a build that leaves out what repeats a claim has one method for each kind. */
    static Stream<Arguments> pairs(List<Kind> kinds, Map<String, PeftConfig> methods) {
        boolean all = !System.getProperty("test.excluded", "").contains("full");
        List<Map.Entry<String, PeftConfig>> entries = List.copyOf(methods.entrySet());
        return IntStream.range(0, kinds.size()).boxed().flatMap(k -> IntStream.range(0, entries.size())
                .filter(m -> all || m == k % entries.size())
                .mapToObj(m -> Arguments.of(kinds.get(k), entries.get(m).getKey(), entries.get(m).getValue())));
    }

    /** All kinds. */
    static List<Kind> kinds() {
        InputType flat = InputType.feedForward(5);
        InputType image = InputType.convolutional(5, 5, 2);
        List<Kind> kinds = new ArrayList<>();
        kinds.add(new Kind("dense", new DenseLayer.Builder().nOut(4).build(), flat, false, 3, 5));
        kinds.add(new Kind("dense without bias", new DenseLayer.Builder().nOut(4).hasBias(false).build(), flat, false,
                3, 5));
        kinds.add(new Kind("dense with layer norm", new DenseLayer.Builder().nOut(4).hasLayerNorm(true).build(), flat,
                false, 3, 5));
        kinds.add(new Kind("embedding", new EmbeddingLayer.Builder().nOut(4).hasBias(true).build(), flat, false, 3,
                1));
        kinds.add(new Kind("embedding of sequences", new EmbeddingSequenceLayer.Builder().nOut(4).inputLength(TIME)
                .build(), InputType.recurrent(5, TIME), true, 3, TIME));
        kinds.add(overTime("LSTM", new LSTM.Builder().nOut(3).build(), true));
        kinds.add(overTime("Graves' LSTM", new GravesLSTM.Builder().nOut(3).build(), true));
        kinds.add(overTime("Graves' bidirectional LSTM", new GravesBidirectionalLSTM.Builder().nOut(3).build(), true));
        kinds.add(overTime("simple recurrent", new SimpleRnn.Builder().nOut(3).build(), true));
        kinds.add(overTime("bidirectional", new Bidirectional(new LSTM.Builder().nOut(3).build()), true));
        kinds.add(overTime("last time step", new LastTimeStep(new LSTM.Builder().nOut(3).build()), false));
        kinds.add(overTime("convolution in 1 dimension", new Convolution1D.Builder(2).nOut(3).build(), true));
        kinds.add(new Kind("convolution", new ConvolutionLayer.Builder(3, 2).nOut(3).build(), image, false, 3, 2, 5,
                5));
        kinds.add(new Kind("convolution in 3 dimensions", new Convolution3D.Builder(2, 2, 2).nOut(3)
                .dataFormat(Convolution3D.DataFormat.NCDHW).build(),
                InputType.convolutional3D(
                        Convolution3D.DataFormat.NCDHW, 3, 3, 3, 2),
                true, 3, 2, 3, 3, 3));
        kinds.add(new Kind("separable convolution", new SeparableConvolution2D.Builder(2, 2).nOut(3)
                .depthMultiplier(2).build(), image, false, 3, 2, 5, 5));
        kinds.add(overTime("self-attention", new SelfAttentionLayer.Builder().nOut(4).nHeads(2).projectInput(true)
                .build(), true));
        kinds.add(overTime("recurrent attention", new RecurrentAttentionLayer.Builder().nIn(4).nOut(4).nHeads(1)
                .projectInput(true).build(), true));
        kinds.forEach(kind -> kind.layer.setLayerName("kind"));
        return kinds;
    }

    private static Kind overTime(String name, Layer layer, boolean pooled) {
        return new Kind(name, layer, InputType.recurrent(4, TIME), pooled, EXAMPLES, 4, TIME);
    }
}
