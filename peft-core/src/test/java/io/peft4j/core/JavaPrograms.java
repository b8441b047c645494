package io.peft4j.core;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs of tests that run in a JVM of their own. */
public final class JavaPrograms {
    /** Properties that such a JVM shares with this one: where JavaCPP unpacks libraries, and the kernels' threads. */
    private static final List<String> SHARED = List.of("org.bytedeco.javacpp.cachedir", "peft4j.threads");

    private JavaPrograms() {
    }

    /**
     * The words that start Java, without a class path, with the native libraries of this JVM (a folder that no
     * process outside of the build writes to) and its number of threads, as a run resumes with the same number only.
     */
    public static List<String> command(String... flags) {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(List.of(flags));
        if (Runtime.version().feature() >= 24) {
            words.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        }
        for (String name : SHARED) {
            String value = System.getProperty(name);
            if (value != null) {
                words.add("-D" + name + "=" + value);
            }
        }
        return words;
    }

    /** The class path of the tests. Surefire's own is a jar that names the real one. */
    public static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }
}
