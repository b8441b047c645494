package io.peft4j.core.io;

import io.peft4j.core.Internal;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes files so that a reader sees either the old content or the whole new one, and a failure loses nothing.
 *
 * <p>The content goes to a temporary sibling, is forced to the disk, and is then moved onto the target in one step.
 * When anything fails before the move (a full disk, an exception of the code that produces the content) the temporary
 * file is removed and the target stays as it was. A target that is a symbolic link is replaced by a plain file; what it
 * pointed to is left alone.
 */
@Internal(shared = true)
public final class AtomicFiles {
    private static final Logger LOG = LoggerFactory.getLogger(AtomicFiles.class);
    private static final int BUFFER_BYTES = 1 << 16;
    private static final Pattern TEMPORARY = Pattern.compile("\\..+\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.tmp");

    private AtomicFiles() {
    }

    /** What produces the content of a file. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes the content. The stream is buffered and is closed by the caller.
         *
         * @param out where the content goes
         * @throws IOException when the stream cannot be written
         */
        void writeTo(OutputStream out) throws IOException;
    }

    /** Opens the temporary file; tests put a disk that fills up in its place. */
    @FunctionalInterface
    interface Opener {
        OutputStream open(Path temporary) throws IOException;
    }

    /**
     * Replaces or creates a file. Missing parent folders are created.
     *
     * @param target the file
     * @param content what produces its bytes; an exception that it throws passes through, and the target stays as it
     *     was
     * @throws UncheckedIOException when the file cannot be written; the message names it
     */
    public static void write(Path target, Content content) {
        // FileOutputStream and not a channel: an interrupt closes a channel, and saving on Ctrl-C has to go through.
        write(target, content, temporary -> new FileOutputStream(temporary.toFile()));
    }

    /**
     * Replaces or creates a file with these bytes.
     *
     * @param target the file
     * @param bytes its new content
     * @throws UncheckedIOException when the file cannot be written; the message names it
     */
    public static void writeBytes(Path target, byte[] bytes) {
        write(target, out -> out.write(bytes));
    }

    /**
     * Replaces or creates a file with this text in UTF-8.
     *
     * @param target the file
     * @param text its new content
     * @throws UncheckedIOException when the file cannot be written; the message names it
     */
    public static void writeString(Path target, String text) {
        write(target, text(text));
    }

    /** A text in UTF-8 as the content of a file. */
    public static Content text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return out -> out.write(bytes);
    }

    /**
     * Replaces or creates files that belong together. All are complete in temporary siblings before the first one is
     * moved, and then they are moved one right after the other, in the order of the map: what fails while they are
     * written leaves all of them as they were.
     *
     * @param contents by file what produces its bytes; an exception that one of them throws passes through
     * @throws UncheckedIOException when a file cannot be written; the message names it
     */
    public static void writeTogether(Map<Path, Content> contents) {
        List<Pending> pending = new ArrayList<>();
        try {
            contents.forEach((target, content) -> {
                Pending next = new Pending(target);
                pending.add(next);
                next.write(content, temporary -> new FileOutputStream(temporary.toFile()));
            });
            pending.forEach(Pending::move);
            pending.stream().map(each -> each.folder).distinct().forEach(AtomicFiles::forceFolder);
        } finally {
            pending.forEach(Pending::close);
        }
    }

    /**
     * Moves a complete folder, whose files are on the disk already, to where it belongs in one step.
     *
     * @param temporary in the same folder as the target
     * @param target must not be there
     * @throws IOException when it cannot be moved
     */
    public static void moveFolder(Path temporary, Path target) throws IOException {
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        forceFolder(target.toAbsolutePath().getParent());
    }

    /**
     * Removes a file, or a folder with everything in it; does nothing if it does not exist.
     *
     * @throws UncheckedIOException when something cannot be removed; the message names the path
     */
    public static void delete(Path path) {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> all = Files.walk(path)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + path + ": " + reason(e), e);
        }
    }

    /** As {@link #delete}, where a failure is a warning in the log. */
    public static void deleteOrWarn(Path path) {
        try {
            delete(path);
        } catch (UncheckedIOException e) {
            LOG.warn(e.getMessage());
        }
    }

    /**
     * Removes what processes that were killed while they wrote have left in a folder: temporary files. For a folder
     * that no other process writes to now.
     */
    public static void removeLeftovers(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            entries.filter(entry -> TEMPORARY.matcher(entry.getFileName().toString()).matches())
                    .forEach(AtomicFiles::remove);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list " + folder + ": " + reason(e), e);
        }
    }

    /**
     * Refuses to move a file onto what is none: a folder, or a device such as {@code /dev/null}, which every other
     * program on the machine would then find replaced.
     *
     * @throws UncheckedIOException when the target is there and is no file
     */
    public static void requireFile(Path target) {
        Path absolute = target.toAbsolutePath();
        boolean folder = absolute.getParent() == null || Files.isDirectory(absolute);
        if (folder || Files.exists(absolute) && !Files.isRegularFile(absolute)) {
            String reason = folder ? "it is a folder, not a file" : "it is a device or a pipe, not a file";
            throw new UncheckedIOException("Cannot write " + target + ": " + reason + ".",
                    new FileSystemException(target.toString(), null, reason));
        }
    }

    /**
     * Refuses a target that could not be written, for a program that computes for long before it writes. Creates
     * nothing.
     *
     * @throws UncheckedIOException when it is no file, or no file can be made beside it
     */
    public static void requireWritable(Path target) {
        requireFile(target);
        try {
            requireWritableFolder(target.toAbsolutePath().getParent());
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write " + target + ": " + e.getMessage() + ".", e);
        }
    }

    /**
     * Refuses a folder that takes no file: the nearest one above that exists gets one, which the system removes as soon
     * as it is there. Permissions alone do not tell.
     *
     * @throws IOException whose message says why
     */
    public static void requireWritableFolder(Path folder) throws IOException {
        Path existing = folder.toAbsolutePath();
        while (existing.getParent() != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        if (!Files.isDirectory(existing)) {
            throw new IOException(existing + " is a file, not a folder");
        }
        try {
            Files.newByteChannel(existing.resolve(".peft4j" + UUID.randomUUID() + ".tmp"), StandardOpenOption.WRITE,
                    StandardOpenOption.CREATE_NEW, StandardOpenOption.DELETE_ON_CLOSE).close();
        } catch (IOException e) {
            throw new IOException("no file can be created in " + existing + " (" + reason(e) + ")", e);
        }
    }

    static void write(Path target, Content content, Opener opener) {
        try (Pending pending = new Pending(target)) {
            pending.write(content, opener);
            pending.move();
            forceFolder(pending.folder);
        }
    }

    /** A file that is written beside its target until it is moved there. */
    private static final class Pending implements AutoCloseable {
        private final Path target;
        private final Path absolute;
        private final Path folder;
        private final Path temporary;
        private boolean leftover;

        Pending(Path target) {
            this.target = target;
            this.absolute = target.toAbsolutePath();
            this.folder = absolute.getParent();
            requireFile(target);
            this.temporary = folder.resolve("." + absolute.getFileName() + "." + UUID.randomUUID() + ".tmp");
        }

        void write(Content content, Opener opener) {
            try {
                createFolder();
                Files.createFile(temporary);
                leftover = true;
                fill(temporary, content, opener);
            } catch (IOException e) {
                throw failure(e);
            }
        }

        private void createFolder() throws IOException {
            try {
                Files.createDirectories(folder);
            } catch (FileAlreadyExistsException e) {
                throw new FileSystemException(e.getFile(), null, e.getFile() + " is a file, not a folder");
            }
        }

        void move() {
            try {
                Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE);
                leftover = false;
            } catch (IOException e) {
                throw failure(e);
            }
        }

        private UncheckedIOException failure(IOException e) {
            return new UncheckedIOException("Cannot write " + target + ": " + reason(e)
                    + ". The previous file is unchanged.", e);
        }

        @Override
        public void close() {
            if (leftover) {
                remove(temporary);
            }
        }
    }

    private static void fill(Path temporary, Content content, Opener opener) throws IOException {
        try (OutputStream raw = opener.open(temporary)) {
            OutputStream buffered = new BufferedOutputStream(raw, BUFFER_BYTES);
            content.writeTo(buffered);
            buffered.flush();
            if (raw instanceof FileOutputStream file) {
                // Without this, a crash of the machine after the move may leave an empty file under the target's name.
                file.getFD().sync();
            }
        }
    }

    private static void remove(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            // The failure that led here is the one to report.
            LOG.warn("Cannot remove {}", temporary, e);
        }
    }

    /** Makes moves into a folder durable. Not every system lets a folder be opened; the file is complete either way. */
    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            LOG.debug("Cannot force {} to the disk", folder, e);
        }
    }

    /** The reason of a failure without the path of the file, which the message around it names. */
    public static String reason(IOException e) {
        String reason = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
        // Of an access that was denied, Java says so by the exception's name alone.
        String kind = e.getClass().getSimpleName().replace("Exception", "").replaceAll("(?<=.)(?=[A-Z])", " ")
                .toLowerCase(Locale.ROOT);
        return reason == null || reason.isBlank() ? kind : reason;
    }
}
