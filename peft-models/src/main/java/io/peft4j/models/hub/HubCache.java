package io.peft4j.models.hub;

import io.peft4j.core.io.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The layout of huggingface_hub's cache, which this library shares:
 *
 * <pre>
 * models--organization--name/
 *   blobs/HASH                      the content, named by its SHA-256 or by its git hash
 *   refs/main                       the commit that a branch or tag points to
 *   snapshots/COMMIT/config.json    a link to ../../blobs/HASH
 * .locks/models--organization--name/HASH.lock
 * </pre>
 *
 * An unfinished download is {@code blobs/HASH.peft4j.incomplete}: not the name that Python uses, because the locks of
 * Python and Java do not see each other on every system and two writers of one file would spoil it.
 */
final class HubCache {
    private static final String PREFIX = "models--";

    private final Path folder;

    HubCache(Path folder) {
        this.folder = folder.toAbsolutePath();
    }

    Path folder() {
        return folder;
    }

    Path repository(String id) {
        return folder.resolve(PREFIX + id.replace("/", "--"));
    }

    Path snapshot(String id, String commit) {
        return repository(id).resolve("snapshots").resolve(commit);
    }

    Path blob(String id, String hash) {
        return repository(id).resolve("blobs").resolve(hash);
    }

    Path incomplete(String id, String hash) {
        return repository(id).resolve("blobs").resolve(hash + ".peft4j.incomplete");
    }

    Path lock(String id, String hash) {
        return folder.resolve(".locks").resolve(PREFIX + id.replace("/", "--")).resolve(hash + ".lock");
    }

    /** The commit that a branch, a tag or a commit stands for in this cache. */
    Optional<String> commit(String id, String revision) {
        if (!revision.contains("/") && Files.isDirectory(snapshot(id, revision))) {
            return Optional.of(revision);
        }
        Path ref = repository(id).resolve("refs").resolve(revision);
        if (!Files.isRegularFile(ref)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(ref).strip()).filter(HubFile::isPlainName);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + ref + ": " + e, e);
        }
    }

    /** Remembers the commit of a branch or a tag. */
    void writeRef(String id, String revision, String commit) {
        if (!revision.equals(commit)) {
            AtomicFiles.writeString(repository(id).resolve("refs").resolve(revision), commit);
        }
    }

    /**
     * Makes {@code snapshots/COMMIT/name} show a blob: by a relative symbolic link, so that the cache can be moved;
     * by a hard link where the system allows no symbolic one; by a copy where it allows neither.
     */
    Path link(String id, String commit, String name, String hash) {
        Path blob = blob(id, hash);
        Path pointer = snapshot(id, commit).resolve(name);
        if (Files.exists(pointer)) {
            return pointer;
        }
        Path temporary = pointer.resolveSibling("." + pointer.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            Files.createDirectories(pointer.getParent());
            linkOrCopy(blob, temporary, pointer.getParent().relativize(blob));
            // Replaces a link to a blob that was removed, and never leaves half a copy under the real name.
            Files.move(temporary, pointer, StandardCopyOption.ATOMIC_MOVE);
            return pointer;
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot make " + pointer + " out of " + blob + ": " + e, e);
        }
    }

    private static void linkOrCopy(Path blob, Path pointer, Path relative) throws IOException {
        try {
            Files.createSymbolicLink(pointer, relative);
            return;
        } catch (IOException | UnsupportedOperationException e) {
            // Windows without the right to make links: go on with the next best.
        }
        try {
            Files.createLink(pointer, blob);
        } catch (IOException | UnsupportedOperationException e) {
            Files.copy(blob, pointer);
        }
    }

    /** The IDs of which this cache holds something. */
    List<String> ids() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(name -> name.startsWith(PREFIX))
                    .map(name -> name.substring(PREFIX.length()).replace("--", "/"))
                    .sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list the model cache " + folder + ": " + e, e);
        }
    }
}
