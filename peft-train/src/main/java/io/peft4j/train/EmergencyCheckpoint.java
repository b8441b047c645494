package io.peft4j.train;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Sha256;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a training is kept whose output folder does not take its adapter: a checkpoint in a folder of the system's
 * temporary folder, whose name follows from that of the output folder, so that resuming finds it.
 *
 * @param folder the folder
 */
record EmergencyCheckpoint(Path folder) {
    private static final Logger LOG = LoggerFactory.getLogger(EmergencyCheckpoint.class);
    private static final int NAME_DIGITS = 16;

    /** That of an output folder. */
    public static EmergencyCheckpoint of(Path output) {
        String name = Sha256.of(output.toAbsolutePath().normalize().toString()).substring(0, NAME_DIGITS);
        return new EmergencyCheckpoint(Path.of(System.getProperty("java.io.tmpdir"), "peft4j-kept-" + name));
    }

    /** The checkpoints in it; none where another user made the folder. */
    List<Path> checkpoints() {
        try {
            return Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) && isMine()
                    ? new Checkpoints(folder, 0, 2).newestFirst() : List.of();
        } catch (IOException e) {
            LOG.warn("{} is left alone: {}", folder, AtomicFiles.reason(e));
            return List.of();
        }
    }

    private boolean isMine() throws IOException {
        Path probe = Files.createTempFile(folder.getParent(), "peft4j", ".tmp");
        try {
            return Files.getOwner(probe).equals(Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS));
        } finally {
            Files.delete(probe);
        }
    }

    /**
     * Keeps a training after so many updates.
     *
     * @param content fills a folder with a checkpoint
     * @return the checkpoint
     * @throws IOException when this folder does not take it either
     * @throws java.io.UncheckedIOException also then
     */
    public Path keep(long step, Consumer<Path> content) throws IOException {
        boolean posix = folder.getFileSystem().supportedFileAttributeViews().contains("posix");
        try {
            Files.createDirectory(folder, posix ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwx------"))} : new FileAttribute<?>[0]);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) || !isMine()) {
                throw e;
            }
        }
        Checkpoints checkpoints = new Checkpoints(folder, 0, 2);
        checkpoints.tidy();
        checkpoints.write(step, content);
        return checkpoints.folder(step);
    }

    /** What is kept is not needed any more. */
    public void remove() {
        try {
            if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) && isMine()) {
                AtomicFiles.deleteOrWarn(folder);
            }
        } catch (IOException e) {
            LOG.warn("cannot remove {}: {}", folder, AtomicFiles.reason(e));
        }
    }

    /** Puts what an earlier training of the same output folder has left out of the way of a new one. */
    public void putAside() {
        if (checkpoints().isEmpty()) {
            return;
        }
        Path aside = folder.resolveSibling(folder.getFileName() + "-" + System.currentTimeMillis());
        try {
            Files.move(folder, aside);
            LOG.warn("what an earlier training for the same folder had left in {} is in {} now", folder, aside);
        } catch (IOException e) {
            LOG.warn("cannot move {}: {}", folder, AtomicFiles.reason(e));
        }
    }
}
