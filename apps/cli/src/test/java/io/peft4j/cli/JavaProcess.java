package io.peft4j.cli;

import io.peft4j.core.JavaPrograms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The command line in a process of its own, with its streams in files. */
final class JavaProcess {
    /** The variable of what comes behind the class path, with the separator before it. */
    static final String MORE_CLASSES = "TEST_MORE_CLASSES";

    private final Process process;
    private final Path out;
    private final Path err;

    private JavaProcess(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** Starts it; stdin comes from a file. */
    static JavaProcess start(Path folder, Path stdin, Object... arguments) throws IOException {
        return start(folder, stdin, Map.of(), List.of(), arguments);
    }

    /**
     * Starts it with variables of its own.
     *
     * @param before words before those that start Java, for a command that runs it
     */
    static JavaProcess start(Path folder, Path stdin, Map<String, String> environment, List<String> before,
            Object... arguments) throws IOException {
        List<String> words = new ArrayList<>(before);
        // It lives for seconds: to compile more than the first compiler does would be most of its work.
        words.addAll(JavaPrograms.command("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dai.djl.offline=true", "-Dpeft4j.stdin.terminal=false"));
        words.addAll(List.of("-cp", JavaPrograms.classPath() + environment.getOrDefault(MORE_CLASSES, ""),
                Main.class.getName()));
        List.of(arguments).forEach(argument -> words.add(argument.toString()));
        Path out = folder.resolve("stdout.txt");
        Path err = folder.resolve("stderr.txt");
        ProcessBuilder builder = new ProcessBuilder(words).redirectInput(stdin.toFile()).redirectOutput(out.toFile())
                .redirectError(err.toFile());
        // As the launcher has it: JShell prints in the locale's encoding.
        builder.environment().put("LC_ALL", "C.UTF-8");
        builder.environment().putAll(environment);
        return new JavaProcess(builder.start(), out, err);
    }

    Process process() {
        return process;
    }

    /** Waits for the end, which must come within minutes. */
    int status() throws InterruptedException {
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError("the process hangs");
        }
        return process.exitValue();
    }

    String out() throws IOException {
        return Files.readString(out);
    }

    String err() throws IOException {
        return Files.readString(err);
    }
}
