package io.peft4j.models;

import io.peft4j.core.io.Sha256;
import io.peft4j.core.model.Network;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import io.peft4j.models.hub.HubOptions;
import io.peft4j.models.hub.ModelSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The matrices of a model that all processes of a machine have in common: mapped from the model's own files where these
 * hold them in the type that is computed with, from a file of the cache folder otherwise. The first process that loads
 * the model writes that file; its name follows from the model's files as they are, so that a changed model has another.
 */
final class SharedWeights {
    private static final Logger LOG = LoggerFactory.getLogger(SharedWeights.class);
    private static final String FOLDER = ".peft4j/converted";
    private static final String ENDING = ".safetensors";
    private static final int DIGITS = 24;
    /** Folders of sentence transformers have the network in a folder of its own. */
    private static final int DEPTH = 2;
    /** Threads of this process; others are kept out by a lock on a file. */
    private static final Object WRITING = new Object();

    private final ModelSource source;
    private final WeightType type;
    private final List<String> newTokens;
    private final Path folder;
    private final String model;
    private final Path file;

    private SharedWeights(ModelSource source, WeightType type, List<String> newTokens, Path folder)
            throws IOException {
        this.source = source;
        this.type = type;
        this.newTokens = newTokens;
        this.folder = folder;
        this.model = digest(source.path().toRealPath() + "\n" + type + "\n" + newTokens);
        this.file = folder.resolve(model + "-" + digest(state(source.path())) + ENDING);
    }

    /** Those of a model in a type. */
    static SharedWeights of(ModelSource source, WeightType type, List<String> newTokens) {
        try {
            return new SharedWeights(source, type, newTokens,
                    HubOptions.fromEnvironment().cacheFolder().resolve(FOLDER));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + source.path() + ": " + e.getMessage(), e);
        }
    }

    /**
     * Builds the network.
     *
     * @param checkpoint the model, of which the weights have not been taken
     */
    Network network(Checkpoint checkpoint, Function<WeightLoader, Network> builder, int threads) {
        WeightLoader weights = mapped(checkpoint, threads);
        Network network = builder.apply(weights);
        if (weights.converted().isEmpty()) {
            return network;
        }
        try {
            write(weights.converted());
        } catch (UncheckedIOException e) {
            LOG.warn("the converted weights of {} are not shared with other processes: {}", source.name(),
                    e.getMessage());
            return network;
        }
        network.close();
        try (Checkpoint again = Checkpoint.open(source, ModelOptions.defaults().withNewTokens(
                newTokens.toArray(String[]::new)))) {
            return builder.apply(mapped(again, threads));
        }
    }

    private WeightLoader mapped(Checkpoint checkpoint, int threads) {
        return checkpoint.weights(type, threads)
                .mapped(Files.exists(file) ? Optional.of(Safetensors.open(file)) : Optional.empty());
    }

    private void write(Map<String, INDArray> converted) {
        synchronized (WRITING) {
            try {
                Files.createDirectories(folder);
                try (FileChannel channel = FileChannel.open(folder.resolve(model + ".lock"), StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE)) {
                    // Until the channel is closed.
                    channel.lock();
                    if (!Files.exists(file)) {
                        Map<String, TensorData> tensors = new LinkedHashMap<>();
                        converted.forEach((name, values) -> tensors.put(name, TensorData.of(values)));
                        SafetensorsWriter.write(file, tensors);
                        LOG.info("the weights of {} are shared by all processes of this machine in "
                                + "{}", source.name(), file);
                        removeFormer();
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Of the same model as it was before it changed. */
    private void removeFormer() throws IOException {
        try (DirectoryStream<Path> former = Files.newDirectoryStream(folder, model + "-*" + ENDING)) {
            for (Path each : former) {
                if (!each.equals(file)) {
                    Files.deleteIfExists(each);
                }
            }
        }
    }

    /** Names, sizes and times of the files. */
    private static String state(Path model) throws IOException {
        StringBuilder state = new StringBuilder();
        try (Stream<Path> files = Files.isDirectory(model) ? Files.walk(model, DEPTH) : Stream.of(model)) {
            for (Path each : files.sorted().toList()) {
                String name = each.getFileName().toString();
                if (name.endsWith(ENDING) || name.endsWith(".json") || name.endsWith(".gguf")) {
                    state.append(name).append(' ').append(Files.size(each)).append(' ')
                            .append(Files.getLastModifiedTime(each)).append('\n');
                }
            }
        }
        return state.toString();
    }

    private static String digest(String text) {
        return Sha256.of(text).substring(0, DIGITS);
    }
}
