package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.JavaPrograms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lines of Java that the README shows, run in the command line's JShell as they stand there. */
@Tag("jdk")
class ReadmeTest {
    private static final Pattern BLOCK = Pattern.compile("^```(\\w*)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final String PROMPT = "jshell> ";

    @TempDir
    Path folder;

    /** The blocks of the README with the given language. */
    private static List<String> blocks(String language) throws IOException {
        Matcher blocks = BLOCK.matcher(Files.readString(Path.of("../../README.md")));
        List<String> found = new ArrayList<>();
        while (blocks.find()) {
            if (blocks.group(1).equals(language)) {
                found.add(blocks.group(2));
            }
        }
        return found;
    }

    private static String typedLines() throws IOException {
        String block = blocks("").stream().filter(text -> text.startsWith(PROMPT)).findFirst().orElseThrow();
        return block.replace(PROMPT, "");
    }

    private static String replaced(String text, String part, String by) {
        assertTrue(text.contains(part), part + " is no longer in the README; change this test with it");
        return text.replace(part, by);
    }

    @Test
    @Tag("model")
    @Tag("full")
    void theProgramAndTheLinesAfterItRunInJShell() throws Exception {
        Path few = Files.createDirectories(folder.resolve("handbook"));
        for (String name : List.of("train.jsonl", "heldout.jsonl")) {
            Files.write(few.resolve(name), Files.readAllLines(Path.of("../../examples/handbook", name)).subList(0, 2));
        }
        String program = replaced(replaced(blocks("java").get(0), "examples/handbook", few.toString()), "epochs(8)",
                "epochs(1)");
        String out = jshell(program + "Handbook.main(new String[0])\n" + typedLines()
                + "System.out.println(\"the end\")\n");
        List<String> lines = out.lines().toList();
        assertTrue(lines.get(0).startsWith("trainable params: 4,884,480 || all params: 139,399,488"), out);
        assertTrue(lines.get(1).startsWith("training on 2 examples"), out);
        assertTrue(lines.stream().anyMatch(line -> line.matches("before: \\d of 2 .*")), out);
        assertTrue(lines.stream().anyMatch(line -> line.matches("after:  \\d of 2 .*")), out);
        assertEquals("the end", lines.get(lines.size() - 1), out);
        assertTrue(lines.size() >= 6, "two answers, and nothing that JShell complains of: " + out);
        assertTrue(lines.stream().noneMatch(line -> line.contains("Error:") || line.contains("Exception")), out);
        assertTrue(Files.exists(folder.resolve("handbook-adapter/adapter_model.safetensors")), out);
    }

    /** The output of a script in a process of the command line whose folder is the test's. */
    private String jshell(String script) throws Exception {
        List<String> words = JavaPrograms.command("-Xmx3g", "-Dai.djl.offline=true", "-Dpeft4j.stdin.terminal=false");
        words.addAll(List.of("-cp", JavaPrograms.classPath(), Main.class.getName(), "jshell"));
        Path in = Files.writeString(folder.resolve("script.jsh"), script);
        Path out = folder.resolve("out.txt");
        Process process = new ProcessBuilder(words).directory(folder.toFile()).redirectInput(in.toFile())
                .redirectErrorStream(true).redirectOutput(out.toFile()).start();
        if (!process.waitFor(10, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError("JShell hangs: " + Files.readString(out));
        }
        assertEquals(0, process.exitValue(), Files.readString(out));
        return Files.readString(out);
    }
}
