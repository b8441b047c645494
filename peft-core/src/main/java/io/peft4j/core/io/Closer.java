package io.peft4j.core.io;

import io.peft4j.core.Internal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Owns what a constructor or a method has opened until all of it is there: a later line that throws leaves nothing
 * open.
 *
 * <pre>{@code
 * try (Closer opened = new Closer()) {
 *     this.lease = opened.add(model.lease());
 *     this.workspace = opened.add(engine.workspace(priority));
 *     this.owned = opened.keep();
 * }
 * }</pre>
 *
 * <p>What is closed here is closed whatever the closing of the others throws. For one thread.
 */
@Internal(shared = true)
public final class Closer implements AutoCloseable {
    private Deque<AutoCloseable> opened = new ArrayDeque<>();

    /** Owns one more, which is closed before those that it has already. */
    public <T extends AutoCloseable> T add(T resource) {
        opened.push(resource);
        return resource;
    }

    /** All is there: closing this does nothing any more, closing the result closes everything. */
    public Closer keep() {
        Closer owner = new Closer();
        Deque<AutoCloseable> none = owner.opened;
        owner.opened = opened;
        opened = none;
        return owner;
    }

    /** Closes all, the last first; a second time does nothing. Throws what was thrown first, with the rest added. */
    @Override
    public void close() {
        List<Throwable> failures = new ArrayList<>();
        while (!opened.isEmpty()) {
            close(opened.pop(), failures);
        }
        rethrow(failures);
    }

    /** Closes all in their order. Throws what was thrown first, with the rest added. */
    public static void closeAll(Iterable<? extends AutoCloseable> resources) {
        List<Throwable> failures = new ArrayList<>();
        resources.forEach(each -> close(each, failures));
        rethrow(failures);
    }

    // Whatever one throws, the others are closed.
    @SuppressWarnings("checkstyle:IllegalCatch")
    private static void close(AutoCloseable resource, List<Throwable> failures) {
        try {
            resource.close();
        } catch (Throwable e) {
            failures.add(e);
        }
    }

    private static void rethrow(List<Throwable> failures) {
        if (failures.isEmpty()) {
            return;
        }
        Throwable first = failures.get(0);
        failures.stream().filter(more -> more != first).forEach(first::addSuppressed);
        if (first instanceof Error error) {
            throw error;
        } else if (first instanceof RuntimeException unchecked) {
            throw unchecked;
        } else if (first instanceof IOException disk) {
            throw new UncheckedIOException("cannot close: " + AtomicFiles.reason(disk), disk);
        } else if (first instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        throw new IllegalStateException("closing failed: " + first, first);
    }
}
