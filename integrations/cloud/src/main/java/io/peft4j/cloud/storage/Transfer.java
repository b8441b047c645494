package io.peft4j.cloud.storage;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Sha256;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies between a storage and this machine. A file that comes is written beside its place, resumes where it broke off,
 * also in another process, is compared with the storage's checksum and then moved; one that is there already, in the
 * version that the storage has, is not asked for again. A file that goes is left out where the storage has it.
 */
public final class Transfer {
    private static final Logger LOG = LoggerFactory.getLogger(Transfer.class);
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int TRIES = 5;
    private static final String CONFIGURATION = "adapter_config.json";
    /** Threads of one process; processes lock a file. */
    private static final Object ONE_AT_A_TIME = new Object();

    private final ObjectStore store;
    private final Path notes;

    /**
     * Transfers with a storage.
     *
     * @param store the storage
     * @param root folder of what came from storages
     */
    public Transfer(ObjectStore store, Path root) {
        this.store = store;
        this.notes = root.resolve(LocalPlace.NOTES);
    }

    /** Brings an object, or a folder of objects, to a place; does nothing if neither exists. */
    public void fetch(Address address, Path place) throws IOException {
        synchronized (ONE_AT_A_TIME) {
            Files.createDirectories(notes);
            try (FileChannel channel = FileChannel.open(notes.resolve("lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE); FileLock lock = channel.lock()) {
                Optional<StoredObject> single = address.key().isEmpty() ? Optional.empty() : store.find(address);
                if (single.isPresent()) {
                    bring(single.get(), address, place);
                    return;
                }
                for (StoredObject object : store.list(address)) {
                    String name = object.key().substring(address.key().isEmpty() ? 0 : address.key().length() + 1);
                    Address.requirePlain(name);
                    bring(object, address.resolve(name), place.resolve(name));
                }
            }
        }
    }

    private void bring(StoredObject object, Address address, Path place) throws IOException {
        Path note = notes.resolve(Sha256.of(address + " " + place.toAbsolutePath()));
        if (Files.isRegularFile(place) && Files.size(place) == object.size() && Files.isRegularFile(note)
                && Files.readString(note).equals(state(object, place))) {
            return;
        }
        if (Files.isRegularFile(place) && Files.size(place) == object.size()
                && object.checksum().filter(sum -> sum.fits(place)).isPresent()) {
            Files.writeString(note, state(object, place));
            return;
        }
        Path part = place.resolveSibling("." + place.getFileName() + ".part");
        Path partNote = notes.resolve(note.getFileName() + ".part");
        Files.createDirectories(place.toAbsolutePath().getParent());
        if (!Files.isRegularFile(partNote) || !Files.readString(partNote).equals(object.version())) {
            Files.deleteIfExists(part);
            Files.writeString(partNote, object.version());
        }
        load(object, address, part);
        if (object.checksum().isPresent() && !object.checksum().get().fits(part)) {
            Files.deleteIfExists(part);
            Files.deleteIfExists(partNote);
            throw new IOException("download of " + address + " is corrupt: " + object.checksum().get().kind()
                    + " mismatch; try again");
        }
        Files.move(part, place, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(note, state(object, place));
        Files.deleteIfExists(partNote);
        LOG.info("{} is in {}", address, place);
    }

    /** A file that was changed here is another one. */
    private static String state(StoredObject object, Path place) throws IOException {
        return object.version() + " " + Files.getLastModifiedTime(place).toMillis();
    }

    /** Adds to a part until it is whole, with further tries as long as some bytes come. */
    private void load(StoredObject object, Address address, Path part) throws IOException {
        int failures = 0;
        long have = Files.exists(part) ? Files.size(part) : 0;
        if (have == 0) {
            Files.write(part, new byte[0]);
        }
        while (have < object.size()) {
            try (InputStream in = store.open(address, object.version(), have);
                    OutputStream out = Files.newOutputStream(part, StandardOpenOption.APPEND)) {
                byte[] buffer = new byte[BUFFER_BYTES];
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    out.write(buffer, 0, read);
                }
            } catch (IOException e) {
                LOG.info("transfer of {} interrupted: {}", address, AtomicFiles.reason(e));
                if (Files.size(part) == have && ++failures == TRIES) {
                    throw e;
                }
            }
            long now = Files.size(part);
            if (now == have && ++failures >= TRIES) {
                throw new EOFException(address + " ends after " + have + " of " + object.size() + " bytes");
            }
            have = now;
        }
    }

    /** Brings a file, or the files of a folder without those that are hidden, to an address. */
    public void publish(Path local, Address address) throws IOException {
        if (Files.isRegularFile(local)) {
            send(local, address);
            return;
        }
        for (Path file : files(local)) {
            send(file, address.resolve(name(local, file)));
        }
    }

    /** The files of a folder, what makes an adapter of it last. */
    public static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> files = new ArrayList<>(all.filter(Files::isRegularFile)
                    .filter(file -> !name(folder, file).startsWith(".") && !name(folder, file).contains("/."))
                    .toList());
            files.sort(Comparator.comparing((Path file) -> file.getFileName().toString().equals(CONFIGURATION))
                    .thenComparing(Comparator.naturalOrder()));
            return files;
        }
    }

    /** The path of a file within a folder, as keys have it. */
    public static String name(Path folder, Path file) {
        return folder.relativize(file).toString().replace('\\', '/');
    }

    /** Brings a file to an address, unless the storage has it. */
    public void send(Path file, Address address) throws IOException {
        Optional<StoredObject> there = store.find(address);
        if (there.isPresent() && there.get().size() == Files.size(file)
                && there.get().checksum().filter(sum -> sum.fits(file)).isPresent()) {
            return;
        }
        store.write(file, address, Sha256.of(file));
        LOG.info("{} is in {}", file, address);
    }
}
