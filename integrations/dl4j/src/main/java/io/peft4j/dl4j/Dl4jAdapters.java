package io.peft4j.dl4j;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.AdapterProvenance;
import io.peft4j.core.peft.file.CheckedTensors;
import io.peft4j.core.peft.file.WeightSample;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
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
     * @throws io.peft4j.core.error.AdapterMismatchException when it does not fit the network, with all misfits
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

    /**
     * The adapter of a network on disk, as Hugging Face PEFT's are: {@code adapter_config.json} and
     * {@code adapter_model.safetensors}, and beside them a passport, which tells the network that it was made for.
     */
    private static final class AdapterFolder {
        private static final int SAMPLES = 36;

        /** A tensor of the file: the array in the network, and its dimensions in the file. */
        private record Stored(INDArray array, long[] shape) {
            TensorData data() {
                return TensorData.f32(shape, Arrays.toFloats(array.castTo(DataType.FLOAT).dup('c')));
            }

            void read(CheckedTensors file, String key) {
                if (file.offers(key, shape)) {
                    try (INDArray values = Arrays.zeros(DataType.FLOAT, array.shape())) {
                        file.read(key, false, values);
                        array.assign(values.castTo(array.dataType()));
                    }
                }
            }
        }

        private AdapterFolder() {
        }

        /** Writes the adapter of a network. */
        public static void save(NetworkForm<?> adapted, Path folder) {
            PeftConfig config = AdaptedNetwork.config(adapted);
            PeftConfig saved = config.withCommon(config.common().withInferenceMode(true));
            Map<String, TensorData> tensors = new LinkedHashMap<>();
            tensors(adapted).forEach((key, tensor) -> tensors.put(key, tensor.data()));
            Map<Path, AtomicFiles.Content> files = new LinkedHashMap<>();
            files.put(folder.resolve(AdapterCheckpoint.WEIGHTS_FILE), out -> SafetensorsWriter.write(out, tensors));
            files.put(folder.resolve(AdapterCheckpoint.CONFIG_FILE), AtomicFiles.text(saved.toJson()));
            passport(adapted).write(folder);
            AtomicFiles.writeTogether(files);
        }

        /** A copy of a network with a stored adapter. */
        public static <N extends Model> N load(NetworkForm<N> base, Path folder) {
            PeftConfig config = AdapterCheckpoint.readConfig(folder);
            try (SafetensorsFile file = SafetensorsFile.open(AdapterCheckpoint.existing(folder,
                    AdapterCheckpoint.WEIGHTS_FILE))) {
                N made = AdaptedNetwork.build(base, config, Optional.empty(), true);
                NetworkForm<N> form = base.form(made);
                CheckedTensors stored = new CheckedTensors(file);
                AdapterProvenance now = passport(form);
                AdapterProvenance.read(folder).ifPresent(passport -> stored.compare(passport.mismatches(now)));
                tensors(form).forEach((key, tensor) -> tensor.read(stored, key));
                stored.unasked().forEach(info -> stored.note("not expected", info.name()));
                stored.requireFit(config, now.base());
                return made;
            }
        }

        private static Map<String, Stored> tensors(NetworkForm<?> adapted) {
            Map<String, Stored> tensors = new LinkedHashMap<>();
            AdaptedNetwork.running(adapted).values().forEach(layer -> layer.weights().forEach(weight -> {
                String path = layer.running().conf().getAdapted().get(weight.weight().key());
                weight.change().tensors().forEach(tensor -> tensors.put(AdapterSetup.key(path, tensor.name()),
                        new Stored(weight.value(tensor), tensor.fileShape())));
            }));
            AdaptedNetwork.trained(adapted).forEach((name, layer) -> layer.paramTable()
                    .forEach((key, array) -> tensors.put(AdapterSetup.key(name, key),
                            new Stored(array, array.shape()))));
            return tensors;
        }

        /** What tells the network from others: some of the values of each frozen layer. */
        private static AdapterProvenance passport(NetworkForm<?> adapted) {
            List<WeightSample> samples = new ArrayList<>();
            AdaptedNetwork.running(adapted).forEach((name, layer) -> {
                INDArray frozen = layer.running().frozen();
                List<Float> values = new ArrayList<>();
                for (int i = 0; i < SAMPLES; i++) {
                    values.add(frozen.getFloat((2L * i + 1) * frozen.length() / (2 * SAMPLES)));
                }
                samples.add(new WeightSample(name, List.of(Math.toIntExact(frozen.length())), values));
            });
            String network = String.format(Locale.ROOT, "%s of %d layers",
                    adapted.network().getClass().getSimpleName(), adapted.layers().size());
            return new AdapterProvenance(network, Map.of(), samples, "", Optional.empty(), "", Map.of(), List.of());
        }
    }
}
