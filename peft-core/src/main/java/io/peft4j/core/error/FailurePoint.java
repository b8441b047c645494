package io.peft4j.core.error;

import io.peft4j.core.Internal;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A step that the system may refuse: memory, a file, a lock, a thread. Tests let each of them fail in turn and look
 * that nothing stays behind. Outside of tests a step costs the read of a field.
 */
@Internal(shared = true)
public final class FailurePoint {
    private static volatile @Nullable Consumer<String> test;

    private FailurePoint() {
    }

    /** As long as a test listens. */
    public interface Test extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * A step is about to be made: {@code memory}, {@code read}, {@code write}, {@code move}, {@code lock} or {@code
     * thread}.
     */
    public static void at(String step) {
        Consumer<String> listening = test;
        if (listening != null) {
            listening.accept(step);
        }
    }

    /** Tells a test of all steps of the process; what it throws is thrown in the place of the step. */
    public static Test tell(Consumer<String> listening) {
        test = listening;
        return () -> test = null;
    }
}
