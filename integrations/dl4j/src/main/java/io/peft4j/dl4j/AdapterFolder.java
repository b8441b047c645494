package io.peft4j.dl4j;

import io.peft4j.core.array.Arrays;
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
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The adapter of a network on disk, as Hugging Face PEFT's are: {@code adapter_config.json} and
 * {@code adapter_model.safetensors}, and beside them a passport, which tells the network that it was made for.
 */
final class AdapterFolder {
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
                .forEach((key, array) -> tensors.put(AdapterSetup.key(name, key), new Stored(array, array.shape()))));
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
