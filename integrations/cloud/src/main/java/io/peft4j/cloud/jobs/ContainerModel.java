package io.peft4j.cloud.jobs;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The model that a container is to run.
 *
 * @param base what names the base model
 * @param adapter folder of the adapter, if there is one
 */
@Internal(shared = true)
public record ContainerModel(String base, Optional<Path> adapter) {
    /**
     * The base model: what lies in the model folder, itself or in its folder {@code base}; what the environment names;
     * what lies in the channel of the model.
     *
     * @param folder the model folder
     * @param named what the environment names
     * @param channel the folder of the channel
     */
    static Optional<String> base(Path folder, Optional<String> named, Optional<Path> channel) {
        return inFolder(folder).map(Path::toString).or(() -> named.filter(name -> !name.isBlank()))
                .or(() -> channel.filter(Files::isDirectory).map(Channel::model).map(Path::toString));
    }

    private static Optional<Path> inFolder(Path folder) {
        if (Files.isDirectory(folder.resolve("base"))) {
            return Optional.of(Channel.model(folder.resolve("base")));
        }
        if (!Files.isDirectory(folder)) {
            return Optional.empty();
        }
        Path model = Channel.model(folder);
        boolean found = Files.isRegularFile(model) || Files.isRegularFile(model.resolve("config.json"));
        return found ? Optional.of(model) : Optional.empty();
    }

    /**
     * What is served from a model folder: the adapter in it, if any, on its base; the adapter's own word for it where
     * nothing else names one. Where adapters lie in folders of it instead, nothing says which is to answer, and
     * the base does not in their place.
     *
     * @param folder the model folder
     * @param named what the environment names
     * @param channel the folder of the channel of the model
     * @throws ConfigurationException when there is neither adapter nor base, or adapters lie in folders below
     */
    public static ContainerModel served(Path folder, Optional<String> named, Optional<Path> channel) {
        Optional<Path> adapter = Optional.of(folder).filter(AdapterCheckpoint::isAdapter);
        if (adapter.isEmpty()) {
            requireNoneBelow(folder);
        }
        String base = base(folder, named, channel)
                .or(() -> adapter.flatMap(place -> AdapterCheckpoint.readConfig(place).common().baseModel()))
                .orElseThrow(() -> new ConfigurationException("no model to serve: " + folder + " holds neither an "
                        + "adapter (adapter_config.json) nor a model (config.json or a GGUF file), and "
                        + SageMakerTraining.MODEL + " names no base model"));
        return new ContainerModel(base, adapter);
    }

    private static void requireNoneBelow(Path folder) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            List<String> adapters = entries.filter(AdapterCheckpoint::isAdapter)
                    .map(entry -> entry.getFileName().toString()).sorted().toList();
            if (!adapters.isEmpty()) {
                throw new ConfigurationException("the model folder " + folder + " has adapters in folders, " + adapters
                        + ", and a container answers with one: put the files of that adapter into " + folder
                        + " itself");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder + ": " + e.getMessage(), e);
        }
    }
}
