package io.peft4j.models.hub;

import io.peft4j.core.io.Uninterrupted;
import io.peft4j.models.hub.HubException.Kind;
import io.peft4j.models.hub.ModelSource.GgufPath;
import io.peft4j.models.hub.ModelSource.HuggingFaceFolder;
import io.peft4j.models.hub.ModelSource.Provenance;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Models of the hub: those in the cache, and those that have to be fetched. */
final class HubSource {
    private static final int AT_ONCE = 4;

    private final HubOptions options;
    private final HubCache cache;
    private final HubDownload download;
    private final HubClient client;

    HubSource(HubOptions options, HubCache cache, DownloadListener listener, Duration firstPause) {
        this.options = options;
        this.cache = cache;
        this.client = new HubClient(options);
        this.download = new HubDownload(client, cache, listener, options.endpoint().toString(), firstPause);
    }

    /**
     * What the cache holds.
     *
     * @param problem where to put half a sentence on what is missing
     * @return the model, empty when it is not there or not complete
     */
    Optional<ModelSource> cached(String reference, ModelReference model, List<String> problem) {
        String where = "the cache " + cache.folder();
        Optional<String> commit = cache.commit(model.id(), model.revision());
        if (commit.isEmpty()) {
            problem.add(where + " does not have " + model.id() + " at revision " + model.revision());
            return Optional.empty();
        }
        Path folder = cache.snapshot(model.id(), commit.get());
        List<String> missing = missing(folder, model);
        if (!missing.isEmpty()) {
            problem.add(where + " has " + model.id() + " but lacks " + String.join(", ", missing));
            return Optional.empty();
        }
        return Optional.of(source(reference, model, folder, commit.get(), where));
    }

    private static List<String> missing(Path folder, ModelReference model) {
        if (model.file().isPresent()) {
            return Files.isRegularFile(folder.resolve(model.file().get())) ? List.of() : List.of(model.file().get());
        }
        return Files.isDirectory(folder) ? ModelFiles.missing(folder, true) : List.of("all its files");
    }

    /**
     * Fetches what the cache lacks.
     *
     * @throws HubException when the hub does not give the model
     */
    ModelSource fetch(String reference, ModelReference model) throws HubException {
        HubClient.HubListing listing = download.retrying(() -> client.list(model), false);
        String commit = listing.commit();
        List<HubFile> first = model.file().isPresent() ? List.of(file(model, listing)) : small(model, listing);
        bringAll(model, commit, first);
        if (model.file().isEmpty()) {
            bringAll(model, commit, ModelFiles.adapter(listing, cache.snapshot(model.id(), commit)));
            // The weights last: a snapshot that has them has everything.
            bringAll(model, commit, weights(model, listing));
        }
        // Last of all: an interrupted download leaves the branch at the commit that is complete.
        cache.writeRef(model.id(), model.revision(), commit);
        return source(reference, model, cache.snapshot(model.id(), commit), commit, "the hub " + options.endpoint());
    }

    /** Some files at a time; where one fails, what others have so far stays for the next call. */
    private void bringAll(ModelReference model, String commit, List<HubFile> files) throws HubException {
        ExecutorService threads = Executors.newFixedThreadPool(Math.max(1, Math.min(AT_ONCE, files.size())));
        try {
            CompletionService<Path> running = new ExecutorCompletionService<>(threads);
            files.forEach(file -> running.submit(() -> download.bring(model, commit, file)));
            for (int i = 0; i < files.size(); i++) {
                running.take().get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException("Interrupted while downloading " + model.id(), new InterruptedIOException());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof HubException refused) {
                throw refused;
            }
            if (e.getCause() instanceof RuntimeException failed) {
                throw failed;
            }
            throw new IllegalStateException(e.getCause());
        } finally {
            threads.shutdownNow();
            // Their files are closed before the caller continues. A thread that waits for the network notices within
            // the limits of its requests.
            Uninterrupted.call(() -> threads.awaitTermination(Long.MAX_VALUE, TimeUnit.DAYS));
        }
    }

    private HubFile file(ModelReference model, HubClient.HubListing listing) throws HubException {
        String name = model.file().orElseThrow();
        return listing.find(name).orElseThrow(() -> lacks(model, "no file " + name, listing));
    }

    private List<HubFile> small(ModelReference model, HubClient.HubListing listing) throws HubException {
        if (!ModelFiles.haveConfig(listing)) {
            boolean adapter = listing.find(ModelFiles.ADAPTER_CONFIG).isPresent();
            throw lacks(model, "no " + ModelFiles.CONFIG + (adapter
                    ? "; this is an adapter: load its base model and then the adapter" : ""), listing);
        }
        return ModelFiles.small(listing);
    }

    private List<HubFile> weights(ModelReference model, HubClient.HubListing listing) throws HubException {
        Optional<HubFile> index = listing.find(ModelFiles.INDEX);
        List<HubFile> weights = index.isPresent() ? shards(model, listing, index.get()) : ModelFiles.weights(listing);
        if (weights.isEmpty()) {
            throw lacks(model, "no *" + ModelFiles.SAFETENSORS + " files", listing);
        }
        return weights;
    }

    private List<HubFile> shards(ModelReference model, HubClient.HubListing listing, HubFile index)
            throws HubException {
        Path file = download.bring(model, listing.commit(), index);
        Set<String> names;
        try {
            names = ModelFiles.shards(file);
        } catch (IOException e) {
            throw new HubException(Kind.FINAL, "the " + ModelFiles.INDEX + " of " + model.id() + " cannot be read: "
                    + e.getMessage(), e);
        }
        List<HubFile> shards = new ArrayList<>();
        for (String name : names) {
            shards.add(listing.find(name).filter(HubFile::isAtRoot)
                    .orElseThrow(() -> lacks(model, "no " + name + ", which its index names", listing)));
        }
        return shards;
    }

    private HubException lacks(ModelReference model, String what, HubClient.HubListing listing) {
        return new HubException(Kind.ABSENT, model.id() + " on " + options.endpoint() + " has " + what
                + alternatives(listing));
    }

    private static String alternatives(HubClient.HubListing listing) {
        List<String> files = listing.names(ModelFiles.GGUF);
        return files.isEmpty() ? "" : "; it has GGUF files, which can be loaded as ID:FILE: "
                + String.join(", ", files.subList(0, Math.min(5, files.size()))) + (files.size() > 5 ? ", ..." : "");
    }

    private static ModelSource source(String reference, ModelReference model, Path folder, String commit,
            String origin) {
        Provenance provenance = new Provenance(reference, Optional.of(model.id()), Optional.of(commit), origin);
        return model.file().<ModelSource>map(name -> new GgufPath(folder.resolve(name), provenance))
                .orElseGet(() -> new HuggingFaceFolder(folder, provenance));
    }
}
