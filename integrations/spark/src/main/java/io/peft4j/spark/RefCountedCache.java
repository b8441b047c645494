package io.peft4j.spark;

import io.peft4j.core.io.Closer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Things that are made once in a JVM, on first use, for all tasks that want them. What is not used any more stays for a
 * while, because the next task may come at once, and is closed then.
 *
 * @param <K> what tells things apart
 * @param <V> the things
 */
final class RefCountedCache<K, V extends AutoCloseable> {
    private static final Logger LOG = LoggerFactory.getLogger(RefCountedCache.class);

    private final Function<K, V> maker;
    private final Executor later;
    private final Map<K, Thing> things = new HashMap<>();

    /**
     * None yet.
     *
     * @param maker makes a thing; what it throws, all who wait for the thing get, and the next one tries again
     * @param lingerMillis how long a thing stays that is not used
     */
    RefCountedCache(Function<K, V> maker, long lingerMillis) {
        this.maker = maker;
        this.later = CompletableFuture.delayedExecutor(lingerMillis, TimeUnit.MILLISECONDS);
    }

    /** A thing with the number of those who use it, and of those who have ever left it. */
    private final class Thing {
        private final K key;
        private V value;
        private int users;
        private long departures;

        Thing(K key) {
            this.key = key;
        }

        synchronized V value() {
            if (value == null) {
                value = maker.apply(key);
            }
            return value;
        }

        synchronized void close() {
            if (value != null) {
                try {
                    value.close();
                } catch (Exception e) {
                    LOG.warn("closing {} failed", key, e);
                }
            }
        }
    }

    /** A use of a thing. */
    final class Lease implements AutoCloseable {
        private final Thing thing;
        private final V value;
        private boolean left;

        private Lease(Thing thing) {
            this.thing = thing;
            this.value = thing.value();
        }

        V value() {
            return value;
        }

        /** Leaves; a second time does nothing. */
        @Override
        public synchronized void close() {
            if (!left) {
                left = true;
                leave(thing);
            }
        }
    }

    /** The thing of a key, which is made now unless it has been made. */
    Lease acquire(K key) {
        Thing thing;
        synchronized (this) {
            thing = things.computeIfAbsent(key, Thing::new);
            thing.users++;
        }
        try (Closer entered = new Closer()) {
            entered.add(() -> leave(thing));
            Lease lease = new Lease(thing);
            entered.keep();
            return lease;
        }
    }

    private synchronized void leave(Thing thing) {
        thing.users--;
        thing.departures++;
        if (thing.users == 0) {
            long departure = thing.departures;
            later.execute(() -> closeUnlessUsed(thing, departure));
        }
    }

    private void closeUnlessUsed(Thing thing, long departure) {
        synchronized (this) {
            if (thing.users > 0 || thing.departures != departure) {
                return;
            }
            things.remove(thing.key);
        }
        thing.close();
    }

    /** How many there are. */
    synchronized int size() {
        return things.size();
    }
}
