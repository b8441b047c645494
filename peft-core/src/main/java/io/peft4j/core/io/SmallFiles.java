package io.peft4j.core.io;

import io.peft4j.core.Internal;
import io.peft4j.core.error.FileFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads files that are small by their nature at once, and none that is not. */
@Internal(shared = true)
public final class SmallFiles {
    /** Configurations have some kilobytes, and a few hundred where they list what they adapt. */
    public static final long CONFIGURATION = 16L << 20;

    private SmallFiles() {
    }

    /**
     * The bytes of a file.
     *
     * @param file the file
     * @param most how many bytes it may have
     * @throws FileFormatException when it has more
     * @throws UncheckedIOException when it cannot be read
     */
    public static byte[] read(Path file, long most) {
        try {
            long size = Files.size(file);
            if (size > most) {
                throw new FileFormatException(file, "has " + size + " bytes; the limit for files of this kind is "
                        + most);
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
