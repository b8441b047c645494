package io.peft4j.models.hub;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Sha256;
import io.peft4j.models.hub.ModelSource.GgufPath;
import io.peft4j.models.hub.ModelSource.Provenance;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Models that come in a jar of the class path, as the resource {@code META-INF/peft4j/models/NAME.gguf}. A file is
 * mapped into memory and a resource is not, so it is copied once, to a name that follows from its content.
 */
final class BundledModels {
    private static final String PLACE = "META-INF/peft4j/models/";
    private static final String NAME = "[A-Za-z0-9_-]{1,64}";
    private static final int DIGITS = 16;
    /** Where the models of this project are, for those who have forgotten the artifact. */
    private static final Map<String, String> ARTIFACTS = Map.of("tiny", "io.peft4j:peft-tiny-model");

    private BundledModels() {
    }

    /**
     * The model of a name.
     *
     * @return empty when no jar has it
     * @throws UncheckedIOException when neither the cache nor the folder for temporary files takes it
     */
    static Optional<ModelSource> find(String name) {
        if (!name.matches(NAME)) {
            return Optional.empty();
        }
        return resource(name).map(resource -> new GgufPath(extracted(name, resource), new Provenance(name,
                Optional.of(name), Optional.empty(), "class path")));
    }

    /** What is missing where a name is that of a model of this project and no jar has it; empty for other names. */
    static Optional<String> missing(String name) {
        return Optional.ofNullable(ARTIFACTS.get(name)).map(artifact -> "it comes with the artifact " + artifact
                + ", which is not on the class path");
    }

    private static Optional<URL> resource(String name) {
        return Stream.of(Thread.currentThread().getContextClassLoader(), BundledModels.class.getClassLoader())
                .filter(Objects::nonNull).map(loader -> loader.getResource(PLACE + name + ModelFiles.GGUF))
                .filter(Objects::nonNull).findFirst();
    }

    private static Path extracted(String name, URL resource) {
        byte[] content;
        try (InputStream in = resource.openStream()) {
            content = in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + resource, e);
        }
        String hash = new Sha256().add(content).hex();
        String file = name + "-" + hash.substring(0, DIGITS) + ModelFiles.GGUF;
        try {
            return written(cache(), file, content, hash);
        } catch (UncheckedIOException e) {
            // A home that cannot be written, as in many containers.
            return written(Path.of(System.getProperty("java.io.tmpdir"), "peft4j-models"), file, content, hash);
        }
    }

    private static Path written(Path folder, String name, byte[] content, String hash) {
        Path file = folder.resolve(name);
        try {
            if (Files.isRegularFile(file) && Sha256.of(file).equals(hash)) {
                return file;
            }
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + AtomicFiles.reason(e), e);
        }
        AtomicFiles.writeBytes(file, content);
        return file;
    }

    private static Path cache() {
        String home = System.getenv("XDG_CACHE_HOME");
        Path cache = home == null || home.isBlank() ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(home);
        return cache.resolve("peft4j").resolve("models");
    }
}
