package io.peft4j.train;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraConfigBuilder;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.SplittableRandom;

/** A tiny model with a LoRA adapter on all linear layers, and examples for it. */
public final class Tiny implements AutoCloseable {
    public final TinyNetwork network;
    final TinyModel base;
    public final PeftModel model;

    /** A model whose adapter has moved away from its beginning, so that all its gradients are different from 0. */
    public Tiny() {
        this(0);
    }

    public Tiny(double dropout) {
        this(dropout, new NaiveKernels());
    }

    public Tiny(double dropout, Kernels kernels) {
        this(dropout, kernels, LoraConfig.builder().targetModules(TargetModules.ALL_LINEAR));
    }

    private Tiny(double dropout, Kernels kernels, LoraConfigBuilder places) {
        this(new TinyNetwork(5, false, true), kernels, places.rank(2).alpha(4).dropout(dropout).build(), 6);
    }

    /** Any adapter on any base. */
    public Tiny(TinyNetwork network, Kernels kernels, PeftConfig config, long seed) {
        this.network = network;
        base = new TinyModel(network, new WordTokenizer(TinyNetwork.VOCABULARY), kernels);
        model = PeftModel.of(base, config, new SplittableRandom(seed));
        SplittableRandom random = new SplittableRandom(7);
        for (Parameter parameter : model.trainableParameters()) {
            float[] values = Arrays.toFloats(parameter.value());
            for (int i = 0; i < values.length; i++) {
                values[i] += (float) (0.1 * random.nextGaussian());
            }
            Arrays.write(parameter.value(), 0, values, 0, values.length);
        }
    }

    /** One whose adapter leaves all layers but one alone. */
    public static Tiny onLayer(int layer, double dropout, Kernels kernels) {
        return new Tiny(dropout, kernels, onLayer(layer));
    }

    /** LoRA on some linear layers of one decoder layer. */
    public static LoraConfigBuilder onLayer(int layer) {
        return LoraConfig.builder().targetModules(TargetModules.of(List.of("q_proj", "v_proj", "up_proj")))
                .layersToTransform(layer);
    }

    /** A training with numbers that do not depend on rules: 3 epochs, batches of 8, a learning rate of 2e-4. */
    public TrainerBuilder trainer() {
        return Trainer.builder(model).options(TrainingOptions.of(3, 8, 2e-4));
    }

    /** The implementations of the kernels that run here. */
    public static List<KernelProvider> kernels() {
        return ServiceLoader.load(KernelProvider.class).stream().map(ServiceLoader.Provider::get)
                .filter(KernelProvider::available).toList();
    }

    /**
     * Examples of 6 to 15 random tokens; some of two begin with the same 5. About half of the later tokens are
     * supervised.
     */
    public static List<TokenSequence> examples(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] beginning = random.ints(5, 0, TinyNetwork.VOCABULARY).toArray();
        List<TokenSequence> examples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] ids = random.ints(6 + random.nextInt(10), 0, TinyNetwork.VOCABULARY).toArray();
            if (i % 2 == 0) {
                System.arraycopy(beginning, 0, ids, 0, beginning.length);
            }
            float[] weights = new float[ids.length];
            for (int t = 2; t < weights.length; t++) {
                weights[t] = random.nextBoolean() ? 1 : 0;
            }
            weights[weights.length - 1] = 1;
            examples.add(new TokenSequence(ids, weights));
        }
        return examples;
    }

    /** The sum of the weights of predicted tokens. */
    public static double weight(List<TokenSequence> sequences) {
        return EncodedExample.weight(EncodedExamples.of(sequences).examples());
    }

    /** A sequence of the given length of which no token is supervised. */
    public static TokenSequence unsupervised(int length) {
        return TokenSequence.unsupervised(
                new SplittableRandom(length).ints(length, 0, TinyNetwork.VOCABULARY).toArray());
    }

    /** All trainable values, one parameter after the other. */
    public float[] values() {
        return concat(model.trainableParameters().stream().map(p -> Arrays.toFloats(p.value())).toList());
    }

    /** All gradients, one parameter after the other; clears them. */
    public float[] takeGradients() {
        float[] gradients = concat(
                model.trainableParameters().stream().map(p -> Arrays.toFloats(p.gradient())).toList());
        model.trainableParameters().forEach(Parameter::clearGradient);
        return gradients;
    }

    /** All weights of the base. */
    public float[] baseWeights() {
        return concat(network.weights().stream().map(Arrays::toFloats).toList());
    }

    private static float[] concat(List<float[]> parts) {
        float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    /** The 2-norm of the difference relative to that of what is expected. */
    public static double distance(float[] expected, float[] actual) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(difference / norm);
    }

    @Override
    public void close() {
        model.close();
        base.close();
    }
}
