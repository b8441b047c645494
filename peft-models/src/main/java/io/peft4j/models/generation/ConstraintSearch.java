package io.peft4j.models.generation;

import io.peft4j.core.engine.TurnExecutor;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Finds what constraints allow next, on threads of its own: answers whose constraint takes long wait for it, and the
 * others grow on. Clients have their turns, and what nobody waits for any more is given up.
 */
final class ConstraintSearch implements AutoCloseable {
    private final TurnExecutor threads = TurnExecutor.ofHalfTheProcessors("peft4j-constraints");
    private final Runnable wake;
    private final Set<GrowingAnswer> searched = ConcurrentHashMap.newKeySet();

    /** @param wake runs whenever something was found */
    ConstraintSearch(Runnable wake) {
        this.wake = wake;
    }

    /** Whether the next token of an answer can be chosen now; where not, it will be, and {@code wake} tells. */
    boolean isReady(PendingRequest ticket, GrowingAnswer answer) {
        if (answer.isReady()) {
            return true;
        }
        if (searched.add(answer)) {
            threads.execute(ticket.request().client(), () -> search(ticket, answer));
        }
        return false;
    }

    private void search(PendingRequest ticket, GrowingAnswer answer) {
        try {
            answer.prepare(() -> !ticket.isDead());
        } catch (RuntimeException e) {
            ticket.fail(e);
        } catch (OutOfMemoryError | StackOverflowError e) {
            ticket.fail(new IllegalStateException("following a constraint failed: " + e, e));
        } finally {
            searched.remove(answer);
            wake.run();
        }
    }

    @Override
    public void close() {
        threads.close();
    }
}
