package io.peft4j.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.JavaPrograms;
import io.peft4j.core.MemoryFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged files of every kind that is read are read or refused: no process ends, none runs out of memory, and no
 * exception comes out that is not of this project. {@code -Dfuzz.inputs=100000} reads as many,
 * {@code -Dfuzz.first=4711} begins at another number, {@code -Dfuzz.only=Parquet} reads files of one kind.
 */
@Tag("full")
class FuzzTest {
    /** Each kind some dozen times; about half a minute. */
    private static final int INPUTS = 1500;
    private static final int MOST_FAILURES = 20;
    private static final Map<Integer, String> ENDS = Map.of(FuzzWorker.OUT_OF_MEMORY, "ran out of memory",
            FuzzWorker.TOO_SLOW, "took more than 10 s of processor time, or 60 s");

    @TempDir(factory = MemoryFolder.class)
    private Path folder;

    @Test
    void damagedFilesOfEveryKindAreReadOrRefused() throws IOException, InterruptedException {
        int next = Integer.getInteger("fuzz.first", 0);
        int end = next + Integer.getInteger("fuzz.inputs", INPUTS);
        List<String> failures = new ArrayList<>();
        while (next < end && failures.size() < MOST_FAILURES) {
            int exit = run(next, end);
            int at = ByteBuffer.wrap(Files.readAllBytes(folder.resolve(FuzzWorker.AT))).getInt();
            if (exit != 0) {
                failures.add("input " + at + " " + ENDS.getOrDefault(exit, "ended the process with " + exit) + ":\n"
                        + lastLines(folder.resolve("output.txt")));
            }
            next = at + 1;
        }
        Path thrown = folder.resolve(FuzzWorker.FAILURES);
        if (Files.exists(thrown)) {
            failures.add(Files.readString(thrown));
        }
        assertTrue(failures.isEmpty(), () -> String.join("\n", failures));
        String counts = Files.readString(folder.resolve(FuzzWorker.COUNTS)).strip();
        int[] numbers = IntStream.of(0, 1).map(i -> Integer.parseInt(counts.split(", ")[i].split(" ")[0])).toArray();
        assertEquals(Integer.getInteger("fuzz.inputs", INPUTS), numbers[0] + numbers[1]);
        assertTrue(numbers[0] > 0 && numbers[1] > 0, counts);
        System.getLogger(FuzzTest.class.getName()).log(System.Logger.Level.INFO, counts);
    }

    private int run(int first, int end) throws IOException, InterruptedException {
        List<String> command = JavaPrograms.command("-Xmx512m", "-XX:+UseSerialGC", "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + folder.resolve("crash.log"), "-Dai.djl.offline=true",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error");
        command.addAll(List.of("-cp", JavaPrograms.classPath(), FuzzWorker.class.getName(), folder.toString(),
                Integer.toString(first), Integer.toString(end), System.getProperty("fuzz.only", "")));
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(folder.resolve("output.txt").toFile()).start();
        try {
            return process.waitFor();
        } finally {
            process.destroyForcibly();
        }
    }

    private static String lastLines(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file, java.nio.charset.StandardCharsets.ISO_8859_1);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 25), lines.size()));
    }
}
