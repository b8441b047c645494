package io.peft4j.dl4j;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.config.PeftConfig;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * LoRA, DoRA and IA3 for the networks of DeepLearning4J, with the configurations, the rules of names and the files that
 * language models have. The network that comes out is DeepLearning4J's: {@code fit}, updaters, listeners, early
 * stopping, {@code evaluate} and {@link org.deeplearning4j.util.ModelSerializer} work as on any.
 *
 * <pre>{@code
 * MultiLayerNetwork adapted = Dl4jAdapters.withAdapter(base,
 *         LoraConfig.builder().rank(4).alpha(8).targetModules("layer0", "layer1").build(), new Adam(1e-2));
 * adapted.fit(examples, 10);
 * Dl4jAdapters.saveAdapter(adapted, Path.of("adapter"));
 * MultiLayerNetwork plain = Dl4jAdapters.merge(adapted);
 * }</pre>
 *
 * <p>{@code target_modules} are names of layers (a graph's vertices), or of one of the weights of a layer that has
 * several, {@code lstm.RW}. Dense, output, embedding, convolution (1 to 3 dimensions, the pointwise part of a separable
 * one), LSTM, simple recurrent and attention layers can be adapted, bidirectional ones and those within wrappers too.
 * {@code modules_to_save} are layers that are trained as a whole. All else is frozen, and stays as it is bit for bit.
 *
 * <p>A layer with an adapter computes W' = W + s A^T B^T before a pass, and with W' what it always computes; so a
 * merged network gives the same numbers. Each pass costs {@code r * in * out} multiplications more for a weight.
 */
public final class Dl4jAdapters {
    private Dl4jAdapters() {
    }

    /**
     * A copy of a network with a new adapter, trained by the updaters that its layers have.
     *
     * @param base the network, which does not change
     * @param config the method and where it goes; {@code target_modules} must be set
     * @throws io.peft4j.core.error.TargetModuleException when a target matches no layer, or one that cannot be adapted
     * @throws ConfigurationException when the method or one of its settings does not work on these networks
     */
    public static MultiLayerNetwork withAdapter(MultiLayerNetwork base, PeftConfig config) {
        return AdaptedNetwork.create(NetworkForm.of(base), config, Optional.empty());
    }

    /** As {@link #withAdapter(MultiLayerNetwork, PeftConfig)}, trained by an updater of its own. */
    public static MultiLayerNetwork withAdapter(MultiLayerNetwork base, PeftConfig config, IUpdater updater) {
        return AdaptedNetwork.create(NetworkForm.of(base), config, Optional.of(updater));
    }

    /** As {@link #withAdapter(MultiLayerNetwork, PeftConfig)}; of a graph only layers have parameters. */
    public static ComputationGraph withAdapter(ComputationGraph base, PeftConfig config) {
        return AdaptedNetwork.create(NetworkForm.of(base), config, Optional.empty());
    }

    /** As {@link #withAdapter(ComputationGraph, PeftConfig)}, trained by an updater of its own. */
    public static ComputationGraph withAdapter(ComputationGraph base, PeftConfig config, IUpdater updater) {
        return AdaptedNetwork.create(NetworkForm.of(base), config, Optional.of(updater));
    }

    /**
     * A plain network that computes what the adapted one does.
     *
     * @throws ConfigurationException when it has no adapter
     */
    public static MultiLayerNetwork merge(MultiLayerNetwork adapted) {
        return AdaptedNetwork.merge(NetworkForm.of(adapted));
    }

    /** As {@link #merge(MultiLayerNetwork)}. */
    public static ComputationGraph merge(ComputationGraph adapted) {
        return AdaptedNetwork.merge(NetworkForm.of(adapted));
    }

    /**
     * Writes the adapter of a network: {@code adapter_config.json} and {@code adapter_model.safetensors}, with Hugging
     * Face PEFT's names. The key of a tensor is {@code base_model.model.}, the name of the layer, and the tensor's
     * name, for instance {@code lora_A.weight}; layers that are trained as a whole have DeepLearning4J's keys. Values
     * are F32.
     *
     * @throws ConfigurationException when it has no adapter
     * @throws java.io.UncheckedIOException when a file cannot be written; the message names it
     */
    public static void saveAdapter(Model adapted, Path folder) {
        AdapterFolder.save(NetworkForm.of(adapted), folder);
    }

    /**
     * A copy of a network with a stored adapter.
     *
     * @throws io.peft4j.core.error.AdapterMismatchException when it does not fit the network, with all that does not
     * @throws io.peft4j.core.error.PeftException when a file is damaged, or asks for what is not supported
     */
    public static MultiLayerNetwork loadAdapter(MultiLayerNetwork base, Path folder) {
        return AdapterFolder.load(NetworkForm.of(base), folder);
    }

    /** As {@link #loadAdapter(MultiLayerNetwork, Path)}. */
    public static ComputationGraph loadAdapter(ComputationGraph base, Path folder) {
        return AdapterFolder.load(NetworkForm.of(base), folder);
    }

    /**
     * The configuration of a network's adapter, with names in place of {@code all-linear}.
     *
     * @throws ConfigurationException when it has none
     */
    public static PeftConfig config(Model adapted) {
        return AdaptedNetwork.config(NetworkForm.of(adapted));
    }

    /** How many parameters are trained: {@code trainable params: 96 || all params: 1,234 || trainable%: 7.7796}. */
    public static String trainableSummary(Model adapted) {
        NetworkForm<?> form = NetworkForm.of(adapted);
        long trainable = AdaptedNetwork.trainable(form);
        return String.format(Locale.ROOT, "trainable params: %,d || all params: %,d || trainable%%: %.4f", trainable,
                form.network().numParams(), 100.0 * trainable / form.network().numParams());
    }
}
