package io.peft4j.models.hub;

import java.nio.file.Path;

/**
 * Follows a download, for a progress bar or a log. Every method may be called from another thread than the
 * one that asked for the model, and must return quickly.
 */
public interface DownloadListener {

    /**
     * A download begins, or resumes where an earlier one was interrupted.
     *
     * @param file the name of the file
     * @param from the place it comes from, for a human reader
     * @param totalBytes its size, or -1 when it is not known
     */
    default void started(String file, String from, long totalBytes) {
    }

    /**
     * More of the file has come. Called at most a few times per second.
     *
     * @param file the name of the file
     * @param doneBytes how much is there
     * @param totalBytes its size, or -1 when it is not known
     */
    default void progress(String file, long doneBytes, long totalBytes) {
    }

    /**
     * The file is complete, its checksum is right, and it is in its place.
     *
     * @param file the name of the file
     * @param path where it lies
     */
    default void finished(String file, Path path) {
    }

    /**
     * Something that explains what takes time: a second try, another place, waiting for another process.
     *
     * @param text one sentence
     */
    default void note(String text) {
    }

    /**
     * A listener that writes beginnings, ends and notes to the log.
     *
     * @return the listener that {@link ModelLocator} uses when it is given none
     */
    static DownloadListener logging() {
        return new LoggingListener();
    }
}
