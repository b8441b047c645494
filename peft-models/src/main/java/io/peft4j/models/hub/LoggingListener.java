package io.peft4j.models.hub;

import java.nio.file.Path;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes downloads to the log. */
final class LoggingListener implements DownloadListener {
    private static final Logger LOG = LoggerFactory.getLogger(ModelLocator.class);

    @Override
    public void started(String file, String from, long totalBytes) {
        LOG.info("Downloading {}{} from {}", file, totalBytes < 0 ? "" : " (" + megabytes(totalBytes) + ")", from);
    }

    @Override
    public void finished(String file, Path path) {
        LOG.info("{} is in {}", file, path);
    }

    @Override
    public void note(String text) {
        LOG.info("{}", text);
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
