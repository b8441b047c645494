package io.peft4j.core.io;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * What happens where a file or folder that is to be written is there already. The default everywhere is {@link #FAIL}:
 * whoever names a place reads from that place afterwards, so nothing is written elsewhere, and nothing is lost, unless
 * it was asked for.
 */
public enum IfExists {
    /** Refuses, before anything is computed. */
    FAIL,
    /** Takes the next free name: {@code my-adapter-2}, {@code my-2.gguf}. */
    NEXT,
    /** Replaces what is there, when the new one is complete. */
    OVERWRITE;

    /** The names on the command line and in configuration files. */
    public static final List<String> NAMES = Arrays.stream(values()).map(IfExists::toString).toList();
    /** What may be chosen where something is there, for messages that refuse it. */
    public static final String CHOICES = "IfExists.NEXT takes the next free name, IfExists.OVERWRITE replaces it";
    private static final String SUFFIX = "((?:\\.[A-Za-z][A-Za-z0-9]{0,9}){1,2})$";

    /**
     * The one of a name.
     *
     * @throws ConfigurationException when there is none of that name
     */
    public static IfExists named(String name) {
        return Arrays.stream(values()).filter(value -> value.toString().equalsIgnoreCase(name)).findFirst()
                .orElseThrow(() -> new ConfigurationException("unknown choice '" + name + "' for existing outputs; "
                        + SimilarNames.sentence(name, NAMES)));
    }

    /**
     * Where to write.
     *
     * @param wanted the file or folder that was asked for
     * @return that, or the next free name
     * @throws ConfigurationException for {@link #FAIL}, when a file or a folder with content is there; for all, when
     *     a device or a pipe is
     */
    public Path choose(Path wanted) {
        return choose(wanted, IfExists::isThere);
    }

    /**
     * The same where something else than a file decides which names are taken.
     *
     * @param taken whether a name cannot be written to as it is
     */
    public Path choose(Path wanted, Predicate<Path> taken) {
        Objects.requireNonNull(wanted, "wanted");
        if (Files.exists(wanted) && !Files.isRegularFile(wanted) && !Files.isDirectory(wanted)) {
            throw new ConfigurationException(wanted + " is a device or a pipe; name a file or a folder, since "
                    + "it is moved into place when complete");
        }
        if (this == OVERWRITE || !taken.test(wanted)) {
            return wanted;
        }
        if (this == FAIL) {
            throw new ConfigurationException(wanted + " exists already; choose another name or another choice: "
                    + CHOICES);
        }
        return IntStream.iterate(2, i -> i + 1).mapToObj(i -> numbered(wanted, i)).filter(taken.negate()).findFirst()
                .orElseThrow();
    }

    private static Path numbered(Path path, int number) {
        String name = path.getFileName().toString();
        String numbered = name.replaceFirst("(?<=.)" + SUFFIX, "-" + number + "$1");
        return path.resolveSibling(numbered.equals(name) ? name + "-" + number : numbered);
    }

    private static boolean isThere(Path path) {
        String[] names = path.toFile().list();
        return Files.exists(path) && (names == null || names.length > 0);
    }

    /** The name, in lower case. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
