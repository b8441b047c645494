package io.peft4j.examples;

import io.peft4j.dl4j.Dl4jAdapters;
import io.peft4j.lora.LoraConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/**
 * A network of DeepLearning4J that reads printed digits learns to read the displays of meters from 20 pictures of
 * each digit. Argument: the folder for the adapter.
 */
public final class AdaptNetwork {
    /** Digits in 5 x 7 dots, as printed, row by row. */
    private static final List<String> PRINTED = List.of(".###.#...##..###.#.###..##...#.###.",
            "..#...##....#....#....#....#...###.", ".###.#...#....#...#...#...#...#####",
            "####.....#....#.###.....#....#####.", "...#...##..#.#.#..#.#####...#....#.",
            "######....####.....#....##...#.###.", ".###.#....#....####.#...##...#.###.",
            "#####....#...#...#...#....#....#...", ".###.#...##...#.###.#...##...#.###.",
            ".###.#...##...#.####....#....#.###.");
    /** Digits as the displays of meters have them, of seven bars. */
    private static final List<String> DISPLAYED = List.of(".###.#...##...#.....#...##...#.###.",
            ".........#....#.........#....#.....", ".###.....#....#.###.#....#.....###.",
            ".###.....#....#.###.....#....#.###.", ".....#...##...#.###.....#....#.....",
            ".###.#....#.....###.....#....#.###.", ".###.#....#.....###.#...##...#.###.",
            ".###.....#....#.........#....#.....", ".###.#...##...#.###.#...##...#.###.",
            ".###.#...##...#.###.....#....#.###.");
    private static final int SIDE = 16;

    private AdaptNetwork() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        DataSet printed = pictures(PRINTED, 200, 1);
        DataSet few = pictures(DISPLAYED, 20, 2);
        DataSet heldOut = pictures(DISPLAYED, 100, 3);

        MultiLayerNetwork reader = network(7);
        train(reader, printed, 10);
        report("as it is", reader, heldOut);

        LoraConfig config = LoraConfig.builder().rank(2).alpha(4).targetModules("hidden", "digit").build();
        MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(reader, config, new Adam(3e-3));
        train(adapted, few, 40);
        Dl4jAdapters.saveAdapter(adapted, Path.of(args[0]));
        System.out.println(Dl4jAdapters.trainableSummary(adapted));
        MultiLayerNetwork plain = Dl4jAdapters.merge(Dl4jAdapters.loadAdapter(reader, Path.of(args[0])));
        report("LoRA", plain, heldOut);

        MultiLayerNetwork full = reader.clone();
        full.setLearningRate(2e-4);
        train(full, few, 40);
        report("full fine-tuning", full, heldOut);
        MultiLayerNetwork scratch = network(8);
        train(scratch, few, 40);
        report("from scratch", scratch, heldOut);
    }

    private static void report(String name, MultiLayerNetwork network, DataSet heldOut) {
        Evaluation evaluation = new Evaluation(10);
        evaluation.eval(heldOut.getLabels(), network.output(heldOut.getFeatures()));
        System.out.printf(Locale.ROOT, "%s: %.3f of the displays are read%n", name, evaluation.accuracy());
    }

    private static MultiLayerNetwork network(long seed) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder().seed(seed)
                .updater(new Adam(1e-3)).activation(Activation.RELU).list()
                .layer(new DenseLayer.Builder().name("pixels").nIn(SIDE * SIDE).nOut(512).build())
                .layer(new DenseLayer.Builder().name("hidden").nIn(512).nOut(512).build())
                .layer(new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT).name("digit").nIn(512).nOut(10)
                        .activation(Activation.SOFTMAX).build())
                .build());
        network.init();
        return network;
    }

    private static void train(MultiLayerNetwork network, DataSet examples, int epochs) {
        for (int epoch = 0; epoch < epochs; epoch++) {
            for (DataSet batch : examples.batchBy(25)) {
                network.fit(batch);
            }
        }
    }

    /** Pictures of each digit, in other places, sizes and brightness, with noise. */
    private static DataSet pictures(List<String> shapes, int each, long seed) {
        Random random = new Random(seed);
        int count = each * shapes.size();
        INDArray pixels = Nd4j.zeros(count, SIDE * SIDE);
        INDArray labels = Nd4j.zeros(count, shapes.size());
        for (int i = 0; i < count; i++) {
            int digit = i % shapes.size();
            labels.putScalar(i, digit, 1);
            float[] picture = new float[SIDE * SIDE];
            double size = 1.5 + 0.6 * random.nextDouble();
            double left = (SIDE - 5 * size) * random.nextDouble();
            double top = Math.max(0, SIDE - 7 * size) * random.nextDouble();
            double ink = 0.6 + 0.4 * random.nextDouble();
            for (int y = 0; y < SIDE; y++) {
                for (int x = 0; x < SIDE; x++) {
                    int column = (int) Math.floor((x - left) / size);
                    int row = (int) Math.floor((y - top) / size);
                    boolean dot = column >= 0 && column < 5 && row >= 0 && row < 7
                            && shapes.get(digit).charAt(5 * row + column) == '#';
                    picture[SIDE * y + x] = (float) ((dot ? ink : 0) + 0.15 * random.nextGaussian());
                }
            }
            pixels.putRow(i, Nd4j.createFromArray(picture));
        }
        return new DataSet(pixels, labels);
    }
}
