package io.peft4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What base models have answered on this machine, so that none is asked the same twice. */
final class BaseAnswers {
    private BaseAnswers() {
    }

    /** The file, beside what other programs keep for the user. */
    static Path file() {
        String home = System.getenv("XDG_CACHE_HOME");
        Path cache = home == null || home.isBlank() ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(home);
        return cache.resolve("peft4j").resolve("answers.jsonl");
    }

    /** The same where it can be written: a command that does not need it must not fail without a home. */
    static Optional<Path> writable() {
        Path file = file();
        try {
            Files.createDirectories(file.getParent());
        } catch (IOException e) {
            return Optional.empty();
        }
        return Optional.of(file).filter(f -> Files.isWritable(Files.exists(f) ? f : f.getParent()));
    }
}
