package io.peft4j.feedback;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.peft.PeftModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Versions of an adapter in a folder, each an adapter folder of its own ({@code version-0001}), and a file
 * {@code current} that names the one that answers: what a process that starts loads, and what it goes back to.
 */
public final class AdapterVersions {
    private static final String PREFIX = "version-";
    private static final String WITHDRAWN = "withdrawn-";
    private static final String CURRENT = "current";
    private static final int DIGITS = 4;

    private final Path folder;
    private final int kept;

    private AdapterVersions(Path folder, int kept) {
        this.folder = folder;
        this.kept = kept;
    }

    /** The versions of a folder, which may not exist yet; the newest 5 are kept, and the current one. */
    public static AdapterVersions in(Path folder) {
        return new AdapterVersions(folder, 5);
    }

    /** The versions, the oldest first. */
    public List<Path> all() {
        return all(PREFIX);
    }

    private List<Path> all(String prefix) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> entry.getFileName().toString().matches(prefix + "\\d{" + DIGITS + ",9}"))
                    .filter(entry -> Files.isRegularFile(entry.resolve("adapter_config.json")))
                    .sorted(Comparator.comparingInt(AdapterVersions::number)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder + ": " + AtomicFiles.reason(e), e);
        }
    }

    private static int number(Path version) {
        return Integer.parseInt(version.getFileName().toString().replaceAll("\\D", ""));
    }

    /** The version that answers. */
    public Optional<Path> current() {
        Path file = folder.resolve(CURRENT);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            String name = Files.readString(file).strip();
            return all().stream().filter(version -> version.getFileName().toString().equals(name)).findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** The newest version before the current one. */
    public Optional<Path> previous() {
        return current().flatMap(now -> all().stream().filter(version -> number(version) < number(now))
                .reduce((first, second) -> second));
    }

    /** A folder for the next version, which does not exist yet; it is none before it holds an adapter. */
    Path next() {
        int last = Stream.of(PREFIX, WITHDRAWN).flatMap(prefix -> all(prefix).stream())
                .mapToInt(AdapterVersions::number).max().orElse(0);
        return folder.resolve(named(PREFIX, last + 1));
    }

    private static String named(String prefix, int number) {
        return prefix + String.format(Locale.ROOT, "%0" + DIGITS + "d", number);
    }

    /**
     * Saves an adapter as the next version, without making it current.
     *
     * @return its folder
     */
    public Path save(PeftModel model, String adapter) {
        Path version = next();
        model.saveAdapter(adapter, version);
        return version;
    }

    /**
     * Puts a version in the place of an adapter that answers, and makes it the current one. Answers that have begun
     * end with the former.
     *
     * @throws io.peft4j.core.error.PeftException when it does not fit; nothing is changed then
     */
    public void use(Path version, PeftModel model, String adapter) {
        model.hotSwap(adapter, version);
        AtomicFiles.writeString(folder.resolve(CURRENT), version.getFileName() + "\n");
        prune(PREFIX, version);
    }

    /**
     * Goes back to the version before the current one, which is then called {@code withdrawn-0002} or so.
     *
     * @return its folder
     * @throws ConfigurationException when there is none
     */
    public Path rollBack(PeftModel model, String adapter) {
        Path now = current().orElse(folder);
        Path before = previous().orElseThrow(() -> new ConfigurationException("there is no version of the adapter '"
                + adapter + "' in " + folder + " before " + current().map(Path::getFileName).map(Path::toString)
                        .orElse("the first")));
        use(before, model, adapter);
        try {
            Files.move(now, folder.resolve(named(WITHDRAWN, number(now))));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot rename " + now + ": " + AtomicFiles.reason(e), e);
        }
        prune(WITHDRAWN, before);
        return before;
    }

    private void prune(String prefix, Path current) {
        List<Path> all = all(prefix);
        for (Path version : all.subList(0, Math.max(0, all.size() - kept))) {
            if (!version.equals(current)) {
                AtomicFiles.delete(version);
            }
        }
    }
}
