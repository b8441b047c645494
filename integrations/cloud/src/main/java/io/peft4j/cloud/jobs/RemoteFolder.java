package io.peft4j.cloud.jobs;

import io.peft4j.cloud.storage.Address;
import io.peft4j.cloud.storage.GoogleCloudFiles;
import io.peft4j.cloud.storage.LocalPlace;
import io.peft4j.cloud.storage.ObjectStore;
import io.peft4j.cloud.storage.S3Files;
import io.peft4j.cloud.storage.StoredFiles;
import io.peft4j.cloud.storage.Transfer;
import io.peft4j.core.Internal;
import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.RemoteFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder, or a file, that is named by a path or an address, and writes to here. Where it is an address, what is
 * there comes first, and what changes here goes there: all the time, if {@link #follow} is asked for it, and in the
 * end. What was brought there and is deleted here is deleted there as well, such as old checkpoints.
 */
@Internal(shared = true)
public final class RemoteFolder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RemoteFolder.class);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path local;
    private final Optional<Address> address;
    private final Optional<StoredFiles> files;
    private final Map<String, String> sent = new HashMap<>();
    private Optional<BackgroundLoop> follower = Optional.empty();

    private RemoteFolder(Path local, Optional<Address> address, Optional<StoredFiles> files) {
        this.local = local;
        this.address = address;
        this.files = files;
    }

    /**
     * The folder of a path or an address.
     *
     * @throws UncheckedIOException when what is there cannot be fetched
     * @throws io.peft4j.core.error.ConfigurationException when the address is wrong
     */
    public static RemoteFolder open(String place) {
        if (!RemoteFiles.isRemote(place)) {
            return new RemoteFolder(Path.of(place), Optional.empty(), Optional.empty());
        }
        StoredFiles files = place.startsWith("s3:") ? new S3Files() : new GoogleCloudFiles();
        RemoteFolder folder = new RemoteFolder(files.fetch(place), Optional.of(Address.of(place)), Optional.of(files));
        folder.takeStock();
        return folder;
    }

    /** Where it lies here. */
    public Path local() {
        return local;
    }

    /** Whether something is there. */
    public boolean exists() {
        return Files.exists(local);
    }

    /** What has just come need not go back. */
    private void takeStock() {
        try {
            if (exists()) {
                for (Path file : Transfer.files(local)) {
                    sent.put(Transfer.name(local, file), state(file));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + local + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** Brings what changes to the storage at these times; what fails is tried again, and told in the log. */
    public RemoteFolder follow(Duration every) {
        if (address.isPresent() && follower.isEmpty()) {
            follower = Optional.of(BackgroundLoop.start("peft4j-follow", every, () -> {
                bring();
                return true;
            }, e -> {
                LOG.warn("upload of {} to {} is incomplete: {}", local, address.get(), e.getMessage());
                return true;
            }));
        }
        return this;
    }

    /** Brings what has changed. */
    private synchronized void bring() throws IOException {
        if (!exists()) {
            return;
        }
        ObjectStore store = files.get().store(address.get());
        Transfer transfer = new Transfer(store, LocalPlace.root(System.getenv()));
        Set<String> here = new HashSet<>();
        for (Path file : Transfer.files(local)) {
            String name = Transfer.name(local, file);
            here.add(name);
            try {
                String state = state(file);
                if (!state.equals(sent.get(name))) {
                    transfer.send(file, name.isEmpty() ? address.get() : address.get().resolve(name));
                    sent.put(name, state);
                }
            } catch (NoSuchFileException e) {
                // A checkpoint that has just been removed.
                LOG.debug("{} is gone", file);
            }
        }
        for (String name : Set.copyOf(sent.keySet())) {
            if (!here.contains(name) && !Files.exists(local.resolve(name))) {
                store.delete(name.isEmpty() ? address.get() : address.get().resolve(name));
                sent.remove(name);
            }
        }
    }

    private static String state(Path file) throws IOException {
        return Files.size(file) + " " + Files.getLastModifiedTime(file).toMillis();
    }

    /**
     * Brings what is left to bring.
     *
     * @throws UncheckedIOException when the storage does not take it
     */
    public void publish() {
        if (address.isEmpty()) {
            return;
        }
        try {
            bring();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot upload " + local + " to " + address.get() + ": "
                    + AtomicFiles.reason(e), e);
        }
    }

    /** Stops following and publishes. */
    @Override
    public void close() {
        follower.ifPresent(loop -> loop.stop(PATIENCE));
        publish();
    }
}
