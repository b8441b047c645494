package io.peft4j.serve.store;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.core.io.FolderLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server's own folder for contents on their way, locked as long as the server lives: what is found in one that is not
 * locked came to no end, and is removed, however young it is.
 */
final class Spool implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Spool.class);
    private static final int NAME_LETTERS = 12;
    private static final int ATTEMPTS = 10;

    private final Path folder;
    private final FolderLock lock;

    private Spool(Path folder, FolderLock lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /** Makes one below this folder, and removes those of servers that are gone. */
    static Spool open(Path spools) {
        try (Closer opened = new Closer()) {
            Files.createDirectories(spools);
            Spool spool = opened.add(own(spools));
            try (Stream<Path> entries = Files.list(spools)) {
                entries.filter(FolderLock::isFree).forEach(Spool::removeFree);
            }
            opened.keep();
            return spool;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to " + spools, e);
        }
    }

    private static Spool own(Path spools) throws IOException {
        for (int attempt = 1;; attempt++) {
            Path folder = Files.createDirectory(spools.resolve(Ids.letters(NAME_LETTERS)));
            try {
                return new Spool(folder, FolderLock.take(folder));
            } catch (ConfigurationException | UncheckedIOException e) {
                // Another server that starts may remove it before it is locked.
                if (attempt == ATTEMPTS) {
                    throw e;
                }
                LOG.debug("{} was removed by another server that starts", folder, e);
            }
        }
    }

    /** Removes a folder while holding its lock, unless its server has locked it in between. */
    private static void removeFree(Path folder) {
        if (!Files.isDirectory(folder)) {
            removeLeft(folder);
            return;
        }
        try (FolderLock lock = FolderLock.take(folder)) {
            removeLeft(folder);
        } catch (ConfigurationException | UncheckedIOException e) {
            LOG.debug("{} is used by another server, or was removed by it", folder, e);
        }
    }

    Path folder() {
        return folder;
    }

    /** What earlier versions wrote among the files, where no other server can be using it. */
    static void removeFormer(Path files) {
        try (Stream<Path> entries = Files.list(files)) {
            entries.filter(entry -> entry.getFileName().toString().matches("MultiPart.*|\\.upload-.*"))
                    .forEach(Spool::removeLeft);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot clean up " + files, e);
        }
    }

    private static void removeLeft(Path tree) {
        remove(tree);
        LOG.info("removed what an upload that was cut off had left: {}", tree);
    }

    private static void remove(Path tree) {
        AtomicFiles.deleteOrWarn(tree);
    }

    @Override
    public void close() {
        Closer.closeAll(List.<AutoCloseable>of(lock, () -> remove(folder)));
    }
}
