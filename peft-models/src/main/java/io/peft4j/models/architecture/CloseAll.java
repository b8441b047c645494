package io.peft4j.models.architecture;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes many things: the last made first, and all of them even where one fails. */
public final class CloseAll {
    private static final Logger LOG = LoggerFactory.getLogger(CloseAll.class);

    private CloseAll() {
    }

    /** Closes all; a failure goes to the log, since memory that is given up cannot be acted on. */
    public static void all(List<AutoCloseable> resources) {
        for (int i = resources.size() - 1; i >= 0; i--) {
            try {
                resources.get(i).close();
            } catch (Exception e) {
                LOG.warn("closing {} failed", resources.get(i).getClass().getSimpleName(), e);
            }
        }
    }
}
