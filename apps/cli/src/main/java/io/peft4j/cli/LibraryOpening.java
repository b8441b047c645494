package io.peft4j.cli;

import io.peft4j.core.error.PeftException;
import io.peft4j.core.kernel.KernelSelection;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the native libraries on a thread of its own while the command line is read and the model is looked for: a start
 * is some tenths of a second shorter.
 */
final class LibraryOpening {
    private static final Logger LOG = LoggerFactory.getLogger(LibraryOpening.class);

    private final Thread thread = new Thread(LibraryOpening::open, "peft4j-libraries");

    private LibraryOpening() {
    }

    /** Begins where the arguments name a model, which is what the libraries are for. */
    static LibraryOpening begin(String... arguments) {
        LibraryOpening opening = new LibraryOpening();
        if (Arrays.stream(arguments).anyMatch(word -> word.equals("--model") || word.startsWith("--model="))) {
            opening.thread.setDaemon(true);
            opening.thread.start();
        }
        return opening;
    }

    private static void open() {
        try {
            KernelSelection.openLibraries();
        } catch (PeftException | LinkageError e) {
            // Whoever needs the libraries meets the same and says so.
            LOG.debug("libraries were not preloaded", e);
        }
    }

    /** Waits for the end: a process should not end while libraries are on their way. */
    void await() {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
