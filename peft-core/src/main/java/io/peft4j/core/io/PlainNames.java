package io.peft4j.core.io;

import io.peft4j.core.Internal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Names of files that come out of other files, which may name anything. */
@Internal(shared = true)
public final class PlainNames {
    private PlainNames() {
    }

    /**
     * Whether a name is that of a file in the same folder: without separators, drives and control characters, and one
     * that this system can write. A JVM in the C locale, for instance, knows ASCII names only.
     */
    public static boolean isPlain(String name) {
        if (name.isEmpty() || name.equals(".") || name.equals("..")
                || name.chars().anyMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ')) {
            return false;
        }
        try {
            Path.of(name);
            return true;
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
