package io.peft4j.train;

import io.peft4j.core.JavaPrograms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Programs of these tests that are started to be killed. */
public final class KilledPrograms {
    private KilledPrograms() {
    }

    /** Starts a program; its log goes to a file. */
    public static Process start(Path log, Class<?> program, String... arguments) throws IOException {
        List<String> words = JavaPrograms.command("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
        words.addAll(List.of("-cp", JavaPrograms.classPath(), program.getName()));
        words.addAll(List.of(arguments));
        return new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())).start();
    }

    /** What a program has logged. */
    public static String text(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
