package io.peft4j.core.error;

import io.peft4j.core.Internal;

/** Why something was thrown. */
@Internal(shared = true)
public final class Causes {
    private Causes() {
    }

    /** The innermost cause of an error, or the error itself where it has none. */
    public static Throwable root(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        return root;
    }
}
